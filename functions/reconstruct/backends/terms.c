#include "functions/reconstruct/backends/backend.h"

size_t ff_terms_width(enum ff_terms terms, size_t fly, size_t eigenprobes)
{
    switch (terms) {
    case FF_TERMS_POSITIONS:
        return 5 * fly;
    case FF_TERMS_STRAINS:
        return 19 * fly;
    case FF_TERMS_COSTS:
        return 1;
    case FF_TERMS_SCALES:
        return 2;
    case FF_TERMS_WEIGHTS:
        return eigenprobes + eigenprobes * (eigenprobes + 1) / 2;
    case FF_TERMS_STEPS:
        return 6;
    }
    return 0;
}
