/* A kernel that cannot keep its numbers in the registers that it may have: the real build must refuse it. */
namespace
{

__global__ void __launch_bounds__(1024) spill(float *values)
{
    float kept[96];
#pragma unroll
    for (int i = 0; i < 96; i++)
        kept[i] = values[i * 1024 + threadIdx.x];
    __syncthreads();
#pragma unroll
    for (int round = 0; round < 4; round++)
#pragma unroll
        for (int i = 0; i < 96; i++)
            kept[i] = kept[(i * 5 + 1) % 96] * kept[i] + kept[95 - i];
#pragma unroll
    for (int i = 0; i < 96; i++)
        values[i * 1024 + threadIdx.x] = kept[i];
}

} // namespace

void start_spill(float *values)
{
    spill<<<1, 1024>>>(values);
}
