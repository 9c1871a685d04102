/*
 * functions/reconstruct/formats/cxi.h: CXI with ptychography (CXIDB, NXcxi_ptycho): SI units,
 * energy in joules, positions as the motion of the sample, projected on the detector's basis
 * vectors.
 */
#ifndef FF_RECONSTRUCT_FORMATS_CXI_H
#define FF_RECONSTRUCT_FORMATS_CXI_H

#include "functions/reconstruct/formats/layout.h"

extern const struct ff_layout ff_cxi_layout;

bool ff_cxi_matches(const struct ff_hdf5_file *file);

#endif
