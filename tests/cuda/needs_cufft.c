/* A shared object that cannot be loaded where libcufft.so.99 is not. */
int pretend_driver(void);
__attribute__((visibility("default"))) int needs_cufft(void);

int needs_cufft(void)
{
    return pretend_driver();
}
