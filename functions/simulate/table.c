#include "functions/simulate/table.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Number of the pattern, then metres along y and x. */
typedef void line(FILE *file, size_t pattern, double y_m, double x_m);

static void xy_line(FILE *file, size_t pattern, double y_m, double x_m)
{
    (void)pattern;
    fprintf(file, "%.9e,%.9e\n", x_m, y_m);
}

/* Targets and averages in µm; the stage counts against the probe. */
static void orchestra_line(FILE *file, size_t pattern, double y_m, double x_m)
{
    fprintf(file, "%zu 1 %.6f %.6f 0.0 %.6f %.6f 0.0\n", pattern, -1e6 * x_m, -1e6 * x_m,
            -1e6 * y_m, -1e6 * y_m);
}

/* In nm: the target x, x, y by interferometer, z, y target, y by encoder, time, trigger. */
static void velociprobe_line(FILE *file, size_t pattern, double y_m, double x_m)
{
    fprintf(file, "%.4f,%.4f,%.4f,0,%.4f,%.4f,%zu,%zu\n", 1e9 * x_m, 1e9 * x_m, 1e9 * y_m,
            -1e9 * y_m, -1e9 * y_m, pattern, pattern);
}

static const struct {
    const char *heading;
    line *line;
} kinds[] = {
    [FF_SIMULATE_XY_TABLE] = {"x,y\n", xy_line},
    [FF_SIMULATE_ORCHESTRA_TABLE] = {"DataPoint TotalPoints Target_x Average_x Stdev_x Target_y "
                                     "Average_y Stdev_y\n",
                                     orchestra_line},
    [FF_SIMULATE_VELOCIPROBE_TABLE] = {"", velociprobe_line},
};

int ff_simulate_table_write(const struct ff_simulate_plan *plan, struct ff_error *error)
{
    const struct ff_simulation *simulation = plan->simulation;
    const struct ff_simulate_file *file = ff_simulate_plan_find(plan, FF_ROLE_TABLE);
    if (file == NULL)
        return 0;
    int fd = dup(file->fd);
    FILE *stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (stream == NULL) {
        int failure = errno;
        if (fd >= 0)
            close(fd);
        return ff_fail_errno(error, FF_OUTPUT_FAILED, failure, "cannot write %s", file->path);
    }
    fputs(kinds[plan->format->table].heading, stream);
    for (size_t place = 0; place < simulation->patterns * simulation->fly; place++)
        kinds[plan->format->table].line(stream, place / simulation->fly,
                                        simulation->stated[2 * place] * simulation->object_pixel_m,
                                        simulation->stated[2 * place + 1] *
                                            simulation->object_pixel_m);
    errno = 0;
    bool failed = ferror(stream) != 0;
    if (fclose(stream) == 0 && !failed)
        return 0;
    return ff_fail_errno(error, FF_OUTPUT_FAILED, errno != 0 ? errno : EIO, "cannot write %s",
                         file->path);
}
