/* libcuda.so.1 of a machine without an NVIDIA driver: it can be loaded, and that is all that is asked of it. */
__attribute__((visibility("default"))) int pretend_driver(void);

int pretend_driver(void)
{
    return 1;
}
