"""The arithmetic of the benches: rates from epochs, ratios, verdicts, and tables of text. Standard library only."""
import statistics

WARM_EPOCHS = 2  # the first ones leave the probe alone and fill the caches

HOLDS, MISSES, UNKNOWN = "holds", "misses", "-"


def epoch_seconds(ends):
    """Seconds of each epoch that counts, from when each ended: without the warm ones where others are left."""
    lengths = [end - begin for begin, end in zip([0.0, *ends], ends)]
    return lengths[WARM_EPOCHS:] if len(lengths) > WARM_EPOCHS else lengths


def summary(runs):
    """What several runs of one program on one scan say together: the best and the median epoch, the highest peak,
    the shortest start. Whatever else the machine does can only lengthen an epoch or a start."""
    epochs = [seconds for run in runs for seconds in epoch_seconds(run["ends"])]
    return {"epoch_s": min(epochs), "epoch_median_s": statistics.median(epochs),
            "peak_bytes": max(run["peak_bytes"] for run in runs),
            "start_s": min(run["start_s"] for run in runs), "starts_s": [run["start_s"] for run in runs]}


def verdict(value, least=None, most=None):
    """Whether a figure keeps within its bounds; unknown without a figure, or without a bound."""
    if value is None or (least is None and most is None):
        return UNKNOWN
    kept = (least is None or value >= least) and (most is None or value <= most)
    return HOLDS if kept else MISSES


def compare(ours, theirs, required):
    """One row: our figures against theirs. `required`: {"ratio", "peak_share", "start_s"}, of which any may lack. Both
    ratios, of the best epochs and of the medians, must be as large as required."""
    row = {"ratio": theirs["epoch_s"] / ours["epoch_s"],
           "ratio_of_medians": theirs["epoch_median_s"] / ours["epoch_median_s"],
           "peak_share": ours["peak_bytes"] / theirs["peak_bytes"], "required": required}
    lower = min(row["ratio"], row["ratio_of_medians"])
    row["verdicts"] = {"ratio": verdict(lower, least=required.get("ratio")),
                       "peak_share": verdict(row["peak_share"], most=required.get("peak_share")),
                       "start_s": verdict(ours["start_s"], most=required.get("start_s"))}
    return row


def misses(rows):
    return sum(word == MISSES for row in rows for word in row.get("verdicts", {}).values())


def text_table(head, rows):
    """Lines of columns as wide as they must be; after the first, what looks like numbers stands on the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    numeric = [i > 0 and all(row[i][:1].isdigit() or row[i] in ("", "-") for row in cells[1:])
               for i in range(len(head))]

    def line(row):
        return "  ".join(cell.rjust(width) if right else cell.ljust(width)
                         for cell, width, right in zip(row, widths, numeric)).rstrip()

    return "\n".join([line(cells[0]), "  ".join("-" * width for width in widths), *map(line, cells[1:])])
