#include "functions/reconstruct/solvers/solvers.h"

#include <string.h>

const struct ff_solver_operations *const ff_solvers[] = {
    &ff_solver_lstsq, &ff_solver_rpie, &ff_solver_epie, &ff_solver_cgrad,
    &ff_solver_dm,    &ff_solver_raar, &ff_solver_ml,   NULL,
};

const struct ff_solver_operations *ff_solver_by_name(const char *name, struct ff_error *error)
{
    for (size_t i = 0; ff_solvers[i] != NULL; i++)
        if (strcmp(ff_solvers[i]->name, name) == 0)
            return ff_solvers[i];
    ff_fail(error, FF_INVALID_SETTING, "there is no algorithm \"%s\"", name);
    return NULL;
}
