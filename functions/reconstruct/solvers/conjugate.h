/*
 * functions/reconstruct/solvers/conjugate.h: preconditioned conjugate gradients in the form of Polak
 * and Ribière with restarts, over one part (object or probe) or both as one unknown.
 *
 *     z = M g,  M = 1 / √(X² + (α max X)²),  X = W or V
 *     β = max(0, Re<z, g - g'> / Re<z', g'>),  d ← z + β d
 *
 * with g the steepest descent, a dash for the last turn; β = 0 when d would not descend. M has the
 * diagonal of the curvature in it, for the object's pixels as for the probe's: that is what balances
 * the two where they are one unknown.
 */
#ifndef FF_RECONSTRUCT_SOLVERS_CONJUGATE_H
#define FF_RECONSTRUCT_SOLVERS_CONJUGATE_H

#include "functions/reconstruct/devices/devices.h"

/* What one turn leaves for the next. Kept in checkpoints as it is. */
struct ff_conjugate {
    double last_zg; /* Re<z', g'>; 0: there was no turn */
};

/* β for these terms; takes note of them for the next turn. */
double ff_conjugate_beta(struct ff_conjugate *memory, struct ff_turn_terms terms);

/* Turns the directions of `parts` (a set of enum ff_part) to the gradients that gradients() left. */
void ff_conjugate_turn(struct ff_conjugate *memory, struct ff_devices *devices, unsigned parts,
                       double alpha);

/* Goes to the minimum along the direction of `parts` times `factor`, once line() has formed it. */
void ff_conjugate_go(struct ff_devices *devices, unsigned parts, double factor);

#endif
