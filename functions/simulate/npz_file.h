/*
 * functions/simulate/npz_file.h: arrays as a NPZ file: a zip archive (with 64-bit sizes) whose
 * members are NPY arrays that are stored as they are.
 */
#ifndef FF_SIMULATE_NPZ_FILE_H
#define FF_SIMULATE_NPZ_FILE_H

#include "functions/simulate/plan.h"

struct ff_npz_file;

/* Writes all but the frames, and fills the offset of the plan's only segment, so that frames can go
 * to their place in any order. */
struct ff_npz_file *ff_npz_file_start(struct ff_simulate_plan *plan,
                                      struct ff_error *error) FF_MUST_USE;

/* `crc` is the zlib CRC-32 of all bytes of the frames in order. Frees, also on failure. */
int ff_npz_file_finish(struct ff_npz_file *npz, uint32_t crc, struct ff_error *error) FF_MUST_USE;

void ff_npz_file_abandon(struct ff_npz_file *npz);

#endif
