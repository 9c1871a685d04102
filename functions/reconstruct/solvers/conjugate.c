#include "functions/reconstruct/solvers/conjugate.h"

#include "functions/reconstruct/solvers/line_search.h"

double ff_conjugate_beta(struct ff_conjugate *memory, struct ff_turn_terms terms)
{
    double beta = memory->last_zg > 0 ? (terms.zg - terms.z_last) / memory->last_zg : 0;
    memory->last_zg = terms.zg;
    return beta > 0 && terms.zg + beta * terms.dg > 0 ? beta : 0;
}

void ff_conjugate_turn(struct ff_conjugate *memory, struct ff_devices *devices, unsigned parts,
                       double alpha)
{
    static const enum ff_part each[] = {FF_PART_OBJECT, FF_PART_PROBE};
    struct ff_turn_terms sum = {0};
    for (int i = 0; i < 2; i++) {
        if (!(parts & each[i]))
            continue;
        struct ff_turn_terms terms = ff_devices_turn_terms(devices, each[i], alpha);
        sum.zg += terms.zg;
        sum.z_last += terms.z_last;
        sum.dg += terms.dg;
    }
    double beta = ff_conjugate_beta(memory, sum);
    for (int i = 0; i < 2; i++)
        if (parts & each[i])
            ff_devices_turn(devices, each[i], alpha, beta);
}

static struct ff_line_terms line(void *context, double gamma)
{
    return ff_devices_line_terms(context, gamma);
}

void ff_conjugate_go(struct ff_devices *devices, unsigned parts, double factor)
{
    ff_devices_advance(devices, parts, factor * ff_line_minimum(line, devices));
}
