"""The faults that planted.py plants in the CUDA backend, and the test that must catch each."""
import collections

# How a test fails.
NUMBERS = "wrong numbers"
STANDIN = "a fault of the stand-in"
CHECK = "a condition that does not hold"
CALL = "a call that fails"
SILENCE = "a failure that is not told"
CRASH = "a crash"
ENDLESS = "no end"

# `old` stands once in the source `file` and becomes `new`. `compiled` are the sources to compile anew where `file` is a header.
Fault = collections.namedtuple("Fault", "name file old new test how compiled", defaults=(None,))

ONE = "test_scenario test_one_device"
FED = "test_scenario test_counts_from_the_host"
SEVERAL = "test_scenario test_several_devices"
STAGED = "test_scenario test_several_without_links"
LEFT = "test_scenario test_left_at_work"
EARLY = "test_early_exchange"
FAILURES = "test_scenario test_failures_are_told"


def without(line, file, name, test, how, after="", before="", compiled=None):
    """A fault that is a line left out. Where there are several such lines, it is the one `after` and `before` others."""
    return Fault(name, file, after + line + before, after + before, test, how, compiled)


FAULTS = [
    # --- streams of one device ---
    without("    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->stream, list->ready, 0));\n",
            "batch.c", "kernels do not wait for the list of their patterns", ONE, NUMBERS),
    without("    FF_CUDA(&b->calls, cudaEventSynchronize(list->ready));\n",
            "batch.c", "the host writes a list anew before it was copied", ONE, NUMBERS),
    without("    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->copies, list->done, 0));\n",
            "batch.c", "a list is copied over one that kernels still read", ONE, NUMBERS),
    without("    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));\n",
            "batch.c", "scales are changed where a copy of them is still to be made", ONE, NUMBERS,
            before="    for (size_t i = 0; i < places; i++)\n"),
    without("    ff_cuda_await_numbers(b); /* they are made of the list before */\n",
            "batch.c", "pieces are written over before their numbers are gathered", ONE, NUMBERS),
    without("    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->answers, b->modulus_done, 0));\n",
            "gradients.c", "numbers are gathered before the pieces are there", ONE, NUMBERS),
    without("    ff_cuda_await_numbers(b);\n",
            "cuda.c", "the cost is taken before it is gathered", ONE, NUMBERS),
    without("    FF_CUDA(&b->calls, cudaStreamWaitEvent(feed->stream, b->lists[b->list].ready, 0));\n",
            "counts.c", "counts are fetched before it is known of which patterns", FED, NUMBERS),
    without("    FF_CUDA(&b->calls, cudaStreamWaitEvent(feed->stream, feed->emptied[turn], 0));\n",
            "counts.c", "counts are fetched into a buffer that is being read", FED, NUMBERS),
    without("    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->stream, feed->filled[turn], 0));\n",
            "counts.c", "counts are read before they are fetched", FED, NUMBERS),
    without("    FF_CUDA(&b->calls, cudaStreamSynchronize(b->stream));\n",
            "step.c", "step lengths are read before they are found", ONE, NUMBERS,
            before="    for (uint32_t i = 0; i < parts.count; i++) {\n"
                   "        const double *answer = answer_of(b, i);\n        *(i"),

    without("    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->beside, b->begun, 0));\n",
            "gradients.c", "the weights of a batch are formed before it has begun", ONE, NUMBERS),
    without("    FF_CUDA(&b->calls, cudaStreamWaitEvent(b->stream, b->weighed, 0));\n",
            "gradients.c", "a step is taken before the weights are formed", ONE, NUMBERS),

    # --- kernels ---
    without("        __syncthreads();\n",
            "sums.cu", "no barrier before sums are formed of what other threads ask", ONE, NUMBERS,
            after="        ask(chunk, s, exposure, place, part, asked);\n"),
    without("        __syncthreads();\n",
            "sums.cu", "no barrier before the next exposure is asked", ONE, NUMBERS,
            after="                                             own_column(part) - part.column));\n"),
    without("        __syncthreads();\n",
            "weights.cu", "no barrier before the light of an exposure is added up", ONE, NUMBERS,
            after="        find_light(chunk, w, exposure, place, part, light);\n"),
    without("    __syncthreads();\n",
            "parts.cuh", "no barrier before it is known which exposures touch the block", ONE, STANDIN,
            after="        found[threadIdx.x / 32] = bits;\n", compiled=["sums.cu", "weights.cu"]),
    without("    __syncthreads();\n",
            "reduce.cuh", "no barrier before the sums of the warps are added", ONE, NUMBERS,
            after="            room[i][thread / 32] = sum;\n    }\n", compiled=["modulus.cu"]),
    without("    __syncthreads();\n",
            "reduce.cuh", "no barrier before the greatest of the warps is found", ONE, NUMBERS,
            after="        room[thread / 32] = value;\n", compiled=["weights.cu"]),
    Fault("the greatest of a block replaces those of others", "reduce.cuh",
          "atomicMax(most, __float_as_uint(value));", "*most = __float_as_uint(value);", ONE, NUMBERS, ["weights.cu"]),
    Fault("the greatest of the batch before stays", "batch.c",
          "cudaMemsetAsync(b->greatest, 0, (1 + b->powers) * sizeof *b->greatest, b->copies)", "cudaSuccess", ONE, NUMBERS),
    Fault("a block does not see the exposures that reach it by their taps alone", "parts.cuh",
          "place.row + shape.rows + 1 > part.row", "place.row + shape.rows > part.row", ONE, NUMBERS, ["sums.cu", "weights.cu"]),
    Fault("the same in columns", "parts.cuh",
          "place.column + shape.columns + 1 > part.column", "place.column + shape.columns > part.column", ONE, NUMBERS,
          ["sums.cu", "weights.cu"]),
    Fault("later chunks leave out the row that their taps reach", "parts.cuh",
          "row - place.row <= shape.rows &&", "row - place.row < shape.rows &&", ONE, NUMBERS, ["sums.cu"]),
    Fault("a block has no row above its own", "parts.cuh",
          "part.row + i / FF_PART_REACH - 1 - place.row", "part.row + i / FF_PART_REACH - place.row", ONE, NUMBERS,
          ["sums.cu", "weights.cu"]),
    without("    __syncthreads();\n",
            "lanes.cuh", "no barrier before the lanes are added", ONE, NUMBERS,
            after="        room.sums[j][warp][thread] = sums[j];\n", compiled=["sums.cu"]),
    Fault("the last lane is not added", "lanes.cuh",
          "for (uint32_t lane = 0; lane < FF_LANES; lane++)\n            sum = plus(",
          "for (uint32_t lane = 0; lane + 1 < FF_LANES; lane++)\n            sum = plus(", ONE, NUMBERS, ["sums.cu"]),
    Fault("a lane has an exposure too few", "lanes.cuh",
          "exposures * (lane + 1) / FF_LANES)",
          "exposures * (lane + 1) / FF_LANES - (lane > 4 && exposures > FF_LANES))", ONE, NUMBERS, ["sums.cu"]),
    Fault("each chunk begins its sums anew", "gradients.c",
          "return (uint32_t)(chunk->patterns - b->lists[b->list].device);", "return chunk->patterns == NULL;", ONE, STANDIN),
    Fault("each chunk begins the weights of the probe anew", "gradients.c",
          ".first = before(b, chunk) == 0,", ".first = 1,", ONE, NUMBERS),
    Fault("the last lane of the weights of the probe is not added", "waves.cu",
          "lane < lanes; lane++)\n                sum +=", "lane + 1 < lanes; lane++)\n                sum +=", ONE, NUMBERS),
    without("    __syncthreads();\n",
            "waves.cu", "no barrier before the lanes of the weights of the probe are added", ONE, NUMBERS,
            after="        room[i][threadIdx.x] = powers[i];\n"),
    Fault("a pixel is set by each chunk that reaches it", "parts.cuh",
          "earlier = reached_by_others(chunk, -static_cast<int32_t>(before), 0, part, found);", "earlier = 0;", ONE, NUMBERS,
          ["sums.cu"]),
    Fault("what no pattern of a batch reaches keeps the sums of the last one", "parts.cuh",
          "nothing = ~reached_by_others(", "nothing = 0 & reached_by_others(", ONE, NUMBERS, ["sums.cu", "weights.cu"]),
    Fault("a pattern's last piece is left out", "modulus.cu",
          "(frame + PIXELS - 1) / PIXELS", "frame / PIXELS", ONE, NUMBERS),
    Fault("a pattern's last piece has a pixel of the next pattern", "modulus.cu",
          "        if (at >= frame)\n            break;\n", "        if (at > frame)\n            break;\n", ONE, NUMBERS),
    Fault("waves are formed behind the end of a frame", "waves.cu",
          "there && exposure < work.end", "exposure < work.end", ONE, NUMBERS),
    Fault("rows and columns of a frame are taken for each other", "transforms.c",
          "    t->size[0] = (int)rows;\n    t->size[1] = (int)columns;\n",
          "    t->size[0] = (int)columns;\n    t->size[1] = (int)rows;\n", ONE, NUMBERS),
    Fault("only the patterns of a list are copied, not where their exit waves go", "batch.c",
          "        count += batch.count;\n", "", ONE, NUMBERS),
    Fault("a list is shorter on the device than it is", "batch.c",
          "ff_cuda_device(&b->memory, &b->calls, b->stream, 2 * b->batch_limit,",
          "ff_cuda_device(&b->memory, &b->calls, b->stream, b->batch_limit / 2,", ONE, STANDIN),

    # --- calls ---
    Fault("a plan has no work area", "transforms.c",
          "return FF_CUFFT(t->calls, cufftSetWorkArea(handle, t->area));", "return handle != 0;", ONE, CALL),
    Fault("a plan that an earlier run left has that one's work area, which is freed", "transforms.c",
          "    if (!ff_cuda_plans_take(&plan->made.shape, &plan->made) && !make_anew(t, &plan->made))\n",
          "    if (ff_cuda_plans_take(&plan->made.shape, &plan->made))\n"
          "        return FF_CUFFT(t->calls, cufftSetStream(plan->made.handle, t->stream));\n"
          "    if (!make_anew(t, &plan->made))\n", LEFT, STANDIN),
    without("    end_stream(b, b->answers);\n", "batch.c", "a stream is not given back", ONE, STANDIN),
    Fault("a plan runs on no stream of its own", "transforms.c",
          "FF_CUFFT(t->calls, cufftSetStream(plan->made.handle, t->stream)) &&", "true &&", ONE, STANDIN),
    Fault("a launch is not looked at", "step.cu",
          "blocks == 0 || ff_cuda_launch(calls, stream, dim3(blocks), dim3(THREADS), 0, kernel,\n"
          "                                         name, *parts, arguments...);",
          "blocks == 0 || (ff_cuda_start(stream, dim3(blocks), dim3(THREADS), 0, name, kernel,\n"
          "                                         *parts, arguments...), calls != nullptr);", FAILURES, STANDIN),
    without("        calls->failed = true;\n        calls->first = status;\n",
            "calls.c", "the first failure of a call is forgotten", FAILURES, SILENCE),
    Fault("a failure is not told", "cuda.c",
          "*cost = (struct ff_cost){b->answer[0], b->answer[1]};\n    return ff_cuda_report(&b->calls, error);",
          "*cost = (struct ff_cost){b->answer[0], b->answer[1]};\n    return error == NULL;", FAILURES, SILENCE),
    without("    ff_cuda_use(&b->calls);\n",
            "step.c", "a step for another device than the one in use", STAGED, CALL,
            before="    if (b->is_settled) {\n        b->step"),

    # --- between devices ---
    Fault("access to a peer's memory is not enabled", "exchange_create.c",
          "cudaError_t status = cudaDeviceEnablePeerAccess(source, 0);", "cudaError_t status = cudaSuccess;", SEVERAL, STANDIN),
    Fault("sums of a peer are read although there is no link", "exchange_create.c",
          "exchange->reads[i] = give_access(exchange->calls, own, exchange->places[i]);",
          "exchange->reads[i] = true;", STAGED, STANDIN),
    without("    await_sharers(exchange, DONE_OBJECT, exchange->stream);\n",
            "exchange.c", "sums of the object are settled before a peer has formed them", SEVERAL, NUMBERS,
            before="    ff_cuda_settle_sums("),
    without("    await_all(exchange, DONE_PROBE, exchange->late);\n",
            "exchange.c", "sums of the probe are settled before a peer has formed them", SEVERAL, NUMBERS),
    without("        await_sharers(exchange, DONE_WEIGHT, exchange->stream);\n",
            "exchange.c", "weights of the object are settled before a peer has formed them", SEVERAL, NUMBERS),
    without("        await_all(exchange, DONE_POWER, exchange->stream);\n",
            "exchange.c", "weights of the probe are settled before a peer has formed them", SEVERAL, NUMBERS),
    Fault("whole sums are taken before they are settled", "exchange.c",
          "    await_all(exchange, object ? DONE_CELLS : DONE_WEIGHING, stream);\n", "    (void)object;\n", SEVERAL, NUMBERS),
    without("    await_all(exchange, DONE_WEIGHING, stream);\n",
            "exchange.c", "a step at once is taken before the weights are settled", SEVERAL, NUMBERS,
            before="    if (step->object != NULL) {\n        await_sharers("),
    without("        await_sharers(exchange, DONE_OBJECT, stream);\n",
            "exchange.c", "a step at once is taken before a peer has formed its sums of the object", SEVERAL, NUMBERS),
    Fault("a step of the probe is taken before its sums are there", "exchange.c",
          "    await_all(exchange, exchange->is_shared_out ? DONE_SHARE : DONE_PROBE, stream);\n", "", SEVERAL, NUMBERS),
    without("    await_all(exchange, DONE_WEIGHING, exchange->stream);\n",
            "exchange.c", "owners step before the weights are settled", SEVERAL, NUMBERS),
    without("    await_sharers(exchange, DONE_OBJECT, exchange->stream);\n",
            "exchange.c", "owners step before a peer has formed its sums", SEVERAL, NUMBERS,
            before="    ff_cuda_step_settled("),
    without("        await_links(exchange, DONE_CELLS, exchange->stream);\n",
            "exchange.c", "what an owner stepped is fetched before it has", SEVERAL, NUMBERS),
    without("        FF_CUDA(exchange->calls, cudaStreamWaitEvent(stream, exchange->fetched, 0));\n",
            "exchange.c", "a batch begins before the last step is fetched", SEVERAL, NUMBERS),
    without("        FF_CUDA(exchange->calls, cudaStreamWaitEvent(stream, exchange->stepped, 0));\n",
            "exchange.c", "a batch begins before the probe has taken the last step", SEVERAL, NUMBERS),
    Fault("sums are formed anew while a peer takes the last ones", "gradients.c",
          "    if (sums.before == 0)\n        ff_cuda_await_taken(b, b->stream);\n", "", SEVERAL, NUMBERS),
    without("    ff_cuda_await_taken(b, b->beside);\n",
            "gradients.c", "weights are formed anew while a peer takes the last ones", SEVERAL, NUMBERS),
    without("    ff_cuda_await_taken(b, b->stream); /* others read whole sums where they stand */\n",
            "step.c", "whole sums are normalised while a peer takes them", SEVERAL, NUMBERS),
    Fault("terms of a pattern are formed after what it shares is offered", "gradients.c",
          "    ff_cuda_add_sums(b, chunk, &probes);\n    ff_cuda_leave_terms(b, chunk, &probes);\n",
          "    ff_cuda_add_sums(b, chunk, &probes);\n    ff_cuda_offer_early(b, first + chunk->count);\n"
          "    ff_cuda_leave_terms(b, chunk, &probes);\n    first = b->batch_count;\n", SEVERAL, NUMBERS),
    without("    __syncthreads();\n",
            "step_settled.cu", "no barrier before the greatest of all devices is used", SEVERAL, NUMBERS,
            after="        room = greatest_of(shares, maximum);\n"),
    Fault("what is shared takes two steps", "step_settled.cu",
          "row < s.tile_rows && !is_shared(settled, row, column)", "row < s.tile_rows", SEVERAL, NUMBERS),
    Fault("copies for a peer are read before they are made", "exchange.c",
          "exchange->reads[peer->number] ? what : (enum done)(what + 1)", "what", STAGED, NUMBERS),
    Fault("copies for a peer are made before the sums are formed", "exchange.c",
          "        await(exchange, exchange, what, exchange->copying);\n", "        (void)what;\n", STAGED, NUMBERS),
    Fault("an overlap is a column short", "exchange_create.c",
          "        .pixels = (uint32_t)ff_area_pixels(cell->area),\n",
          "        .pixels = (uint32_t)(cell->area.rows * (cell->area.columns - 1)),\n", SEVERAL, NUMBERS),
    Fault("the halo has not the row that taps reach", "settle.c",
          "size_t below = row + b->shape.rows + 1;", "size_t below = row + b->shape.rows;", SEVERAL, NUMBERS),
    Fault("a share of the probe is a row short", "exchange_create.c",
          "*end = (uint32_t)(rows * (number + 1) / exchange->count);",
          "*end = (uint32_t)(rows * (number + 1) / exchange->count) - (number == 0);", SEVERAL, NUMBERS),
    Fault("only the first device's maxima count", "whole.cuh",
          "device < shares.count", "device < 1", SEVERAL, NUMBERS, ["step_settled.cu", "whole.cu"]),
    Fault("copies of a device's overlap are read with the pitch of its tile", "exchange_views.c",
          "    view.columns = (uint32_t)area.columns;\n",
          "    view.columns = (uint32_t)peer->tile.columns;\n", STAGED, NUMBERS),
    without("    wait_for_all(exchange);\n",
            "exchange_create.c", "memory is freed that a peer still reads", LEFT, STANDIN),

    # --- what is shared comes first ---
    Fault("patterns that reach a halo by their taps alone count as inner ones", "chunks.h",
          "row + rows + 1 > area->row", "row + rows > area->row", SEVERAL, NUMBERS, ["batch.c"]),
    Fault("sums are offered before all that share them are done", "settle.c",
          "b->batch_offered == 0 ||\n        patterns != b->batch_offered)", "b->object_offered)", SEVERAL, NUMBERS),
    Fault("chunks go on over the last of the patterns that are shared, so that nothing is offered early", "chunks.h",
          "bool is_shared = first < batch->shared;", "bool is_shared = false;", EARLY, CHECK, ["batch.c"]),
    Fault("the work begins anywhere on the curve", "chunks.h",
          "*start = ff_cuda_longest_run(shared, count, &run);", "*start = (ff_cuda_longest_run(shared, count, &run) + 1) % count;",
          EARLY, NUMBERS, ["batch.c"]),

    # --- what is kept from batch to batch ---
    Fault("probes are shifted as they were in the batch before", "batch.c",
          "ff_cuda_forget_spectra(b->shifts);", "(void)b;", "numeric_step_cuda", NUMBERS),
    Fault("every chunk is fitted to the exit waves of the first", "fit.c",
          ".exits = b->exits->kept + first * exit_pixels(b),", ".exits = b->exits->kept,", ONE, NUMBERS),
]
