/*
 * functions/reconstruct/constants.h: constants of nature in SI units, exact since 2019.
 */
#ifndef FF_RECONSTRUCT_CONSTANTS_H
#define FF_RECONSTRUCT_CONSTANTS_H

#define FF_PLANCK_J_S   6.62607015e-34
#define FF_LIGHT_M_S    299792458.0
#define FF_ELECTRON_V_J 1.602176634e-19

#endif
