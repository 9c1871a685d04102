#include "functions/reconstruct/refine/deformation.h"

#include <complex.h>
#include <math.h>
#include <string.h>

enum {
    SHIFTS = 5,
    STRAINS = 19,
    DEGREES = FF_DEFORMATION_DEGREE_MAX + 1,
    UNKNOWNS = FF_DEFORMATION_VALUES,
};

static const double lift = 1e-3;  /* of the mean diagonal, added to every one */
static const double beyond = 1.2; /* how far polynomials are followed, in halves of the box */

/* --- the polynomials --- */

void ff_deformation_begin(struct ff_deformation *deformation, const double *positions, size_t count,
                          double width_px)
{
    *deformation = (struct ff_deformation){.degree = 1};
    double low[2];
    double high[2];
    ff_array_box(positions, count, low, high);
    for (size_t axis = 0; axis < 2; axis++) {
        deformation->middle[axis] = (low[axis] + high[axis]) / 2;
        deformation->half[axis] = fmax((high[axis] - low[axis]) / 2, fmax(width_px, 1));
    }
    double extent = fmax(high[0] - low[0], high[1] - low[1]);
    double degree = ceil(extent / fmax(width_px, 1));
    if (degree > 1)
        deformation->degree = (unsigned)fmin(degree, FF_DEFORMATION_DEGREE_MAX);
}

/* P_k and its derivative along an axis, for k up to the degree. */
static void legendre(const struct ff_deformation *deformation, size_t axis, double at,
                     double value[DEGREES], double slope[DEGREES])
{
    double half = deformation->half[axis];
    double t = fmin(fmax((at - deformation->middle[axis]) / half, -beyond), beyond);
    value[0] = 1;
    slope[0] = 0;
    value[1] = t;
    slope[1] = 1 / half;
    for (unsigned k = 2; k <= deformation->degree; k++) {
        value[k] = ((2 * k - 1) * t * value[k - 1] - (k - 1) * value[k - 2]) / k;
        slope[k] = slope[k - 2] + (2 * k - 1) * value[k - 1] / half;
    }
}

/* The gradient of each term of u at a position; returns how many there are. */
static size_t gradients_at(const struct ff_deformation *deformation, const double position[2],
                           double gradients[FF_DEFORMATION_TERMS_MAX][2])
{
    double value[2][DEGREES];
    double slope[2][DEGREES];
    for (size_t axis = 0; axis < 2; axis++)
        legendre(deformation, axis, position[axis], value[axis], slope[axis]);
    size_t term = 0;
    for (unsigned i = 0; i <= deformation->degree; i++) {
        for (unsigned j = i == 0; i + j <= deformation->degree; j++) {
            gradients[term][0] = slope[0][i] * value[1][j];
            gradients[term++][1] = value[0][i] * slope[1][j];
        }
    }
    return term;
}

/* u along a row is a polynomial of x: its coefficients. */
static void row_of(const struct ff_deformation *deformation, double y, double row[2][DEGREES])
{
    double value[DEGREES];
    double slope[DEGREES];
    legendre(deformation, 0, y, value, slope);
    memset(row, 0, 2 * sizeof row[0]);
    size_t term = 0;
    for (unsigned i = 0; i <= deformation->degree; i++) {
        for (unsigned j = i == 0; i + j <= deformation->degree; j++) {
            for (size_t axis = 0; axis < 2; axis++)
                row[axis][j] += value[i] * deformation->coefficients[axis][term];
            term++;
        }
    }
}

static void in_row(const struct ff_deformation *deformation, double row[2][DEGREES], double x,
                   double u[2])
{
    double value[DEGREES];
    double slope[DEGREES];
    legendre(deformation, 1, x, value, slope);
    u[0] = u[1] = 0;
    for (unsigned j = 0; j <= deformation->degree; j++)
        for (size_t axis = 0; axis < 2; axis++)
            u[axis] += row[axis][j] * value[j];
}

void ff_deformation_at(const struct ff_deformation *deformation, const double position[2],
                       double u[2])
{
    double row[2][DEGREES];
    row_of(deformation, position[0], row);
    in_row(deformation, row, position[1], u);
}

/* --- the fit --- */

/* What one position tells of the gradient of u, yy, yx, xy, xx: a matrix and a right side. */
struct local {
    double matrix[4][4];
    double right[4];
};

/* Element of the three terms yy, yx, xx for two axes. */
static size_t pair_of(size_t a, size_t b)
{
    return a + b;
}

/* Less what a shift of its own explains. */
static struct local local_of(const double *shift, const double *strain, double floor)
{
    struct local local;
    const double a[2][2] = {{shift[2] + floor, shift[3]}, {shift[3], shift[4] + floor}};
    double determinant = a[0][0] * a[1][1] - a[0][1] * a[1][0];
    double cross[4][2];  /* of strain and shift */
    double solved[4][2]; /* the same times A⁻¹ */
    for (size_t i = 0; i < 4; i++) {
        for (size_t d = 0; d < 2; d++)
            cross[i][d] = strain[4 + 2 * pair_of(i / 2, d) + i % 2];
        solved[i][0] = (a[1][1] * cross[i][0] - a[0][1] * cross[i][1]) / determinant;
        solved[i][1] = (a[0][0] * cross[i][1] - a[0][1] * cross[i][0]) / determinant;
    }
    for (size_t i = 0; i < 4; i++) {
        local.right[i] = strain[i] - solved[i][0] * shift[0] - solved[i][1] * shift[1];
        for (size_t j = 0; j < 4; j++)
            local.matrix[i][j] = strain[10 + 3 * pair_of(i / 2, j / 2) + pair_of(i % 2, j % 2)] -
                                 solved[i][0] * cross[j][0] - solved[i][1] * cross[j][1];
    }
    return local;
}

/* Normal equations, the lower half of the matrix: unknown k is term k % terms of axis k / terms. */
struct equations {
    double matrix[UNKNOWNS][UNKNOWNS];
    double right[UNKNOWNS];
};

static void add_local(struct equations *equations, const struct local *local,
                      double gradients[FF_DEFORMATION_TERMS_MAX][2], size_t terms)
{
    for (size_t k = 0; k < 2 * terms; k++) {
        const double *gradient = gradients[k % terms];
        size_t at = 2 * (k / terms);
        double row[4];
        for (size_t i = 0; i < 4; i++)
            row[i] = gradient[0] * local->matrix[at][i] + gradient[1] * local->matrix[at + 1][i];
        equations->right[k] += gradient[0] * local->right[at] + gradient[1] * local->right[at + 1];
        for (size_t l = 0; l <= k; l++) {
            const double *other = gradients[l % terms];
            size_t column = 2 * (l / terms);
            equations->matrix[k][l] += row[column] * other[0] + row[column + 1] * other[1];
        }
    }
}

/* Cholesky's factor in the place of the matrix; false where it is not positive. */
static bool factorise(struct equations *equations, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        double *row = equations->matrix[k];
        for (size_t l = 0; l <= k; l++) {
            const double *other = equations->matrix[l];
            double sum = row[l];
            for (size_t q = 0; q < l; q++)
                sum -= row[q] * other[q];
            if (l == k && !(sum > 0))
                return false;
            row[l] = l == k ? sqrt(sum) : sum / other[l];
        }
    }
    return true;
}

static bool solve(struct equations *equations, size_t count)
{
    double mean = 0;
    for (size_t k = 0; k < count; k++)
        mean += equations->matrix[k][k] / (double)count;
    for (size_t k = 0; k < count; k++)
        equations->matrix[k][k] += lift * mean;
    if (!isfinite(mean) || !factorise(equations, count))
        return false;
    double *right = equations->right;
    for (size_t k = 0; k < count; k++) {
        for (size_t q = 0; q < k; q++)
            right[k] -= equations->matrix[k][q] * right[q];
        right[k] /= equations->matrix[k][k];
    }
    for (size_t k = count; k-- > 0;) {
        for (size_t q = k + 1; q < count; q++)
            right[k] -= equations->matrix[q][k] * right[q];
        right[k] /= equations->matrix[k][k];
    }
    return true;
}

bool ff_deformation_find(struct ff_deformation *deformation, const double *positions,
                         const double *shifts, const double *strains, size_t count)
{
    struct equations equations = {0};
    double floor = 0;
    size_t terms = 0;
    for (size_t i = 0; i < count; i++)
        floor += lift * (shifts[SHIFTS * i + 2] + shifts[SHIFTS * i + 4]) / (double)count;
    if (!(floor > 0) || !isfinite(floor))
        return false;
    for (size_t i = 0; i < count; i++) {
        double gradients[FF_DEFORMATION_TERMS_MAX][2];
        const struct local local = local_of(shifts + SHIFTS * i, strains + STRAINS * i, floor);
        terms = gradients_at(deformation, positions + 2 * i, gradients);
        add_local(&equations, &local, gradients, terms);
    }
    if (!solve(&equations, 2 * terms))
        return false;
    for (size_t k = 0; k < 2 * terms; k++)
        deformation->coefficients[k / terms][k % terms] = equations.right[k];
    return true;
}

/* --- what is deformed --- */

double ff_deformation_move(const struct ff_deformation *deformation, double *positions,
                           size_t count)
{
    enum { ROUNDS = 4 }; /* of x' ← x - u(x'): the slope of u is a few per cent */
    double longest = 0;
    for (size_t i = 0; i < count; i++) {
        double *position = positions + 2 * i;
        const double from[2] = {position[0], position[1]};
        for (int round = 0; round < ROUNDS; round++) {
            double u[2];
            ff_deformation_at(deformation, position, u);
            position[0] = from[0] - u[0];
            position[1] = from[1] - u[1];
        }
        longest = fmax(longest, hypot(position[0] - from[0], position[1] - from[1]));
    }
    return longest;
}

/* Keys' weights of the pixels at -1, 0, 1, 2 for a point `t` beyond pixel 0. */
static void cubic_weights(float t, float weights[4])
{
    weights[0] = ((-0.5f * t + 1) * t - 0.5f) * t;
    weights[1] = (1.5f * t - 2.5f) * t * t + 1;
    weights[2] = ((-1.5f * t + 2) * t + 0.5f) * t;
    weights[3] = (0.5f * t - 0.5f) * t * t;
}

static size_t within(double at, size_t count)
{
    return at <= 0 ? 0 : at >= (double)count - 1 ? count - 1 : (size_t)at;
}

static ff_complex value_at(const ff_complex *from, size_t rows, size_t columns, double y, double x)
{
    double row = floor(y);
    double column = floor(x);
    float by_row[4];
    float by_column[4];
    cubic_weights((float)(y - row), by_row);
    cubic_weights((float)(x - column), by_column);
    ff_complex sum = 0;
    for (int i = 0; i < 4; i++) {
        const ff_complex *line = from + within(row + i - 1, rows) * columns;
        ff_complex along = 0;
        for (int j = 0; j < 4; j++)
            along += by_column[j] * line[within(column + j - 1, columns)];
        sum += by_row[i] * along;
    }
    return sum;
}

void ff_deformation_apply(const struct ff_deformation *deformation, const double corner[2],
                          const ff_complex *from, size_t rows, size_t columns, ff_complex *to)
{
    for (size_t r = 0; r < rows; r++) {
        double row[2][DEGREES];
        row_of(deformation, (double)r - corner[0], row);
        for (size_t c = 0; c < columns; c++) {
            double u[2];
            in_row(deformation, row, (double)c - corner[1], u);
            to[r * columns + c] = value_at(from, rows, columns, (double)r + u[0], (double)c + u[1]);
        }
    }
}
