#include "service/certificate.h"

#include "protocol/core/file.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { YEARS = 10, DAY_S = 86400, SERIAL_SIZE = 16 };

static const unsigned char loopback4[4] = {127, 0, 0, 1};
static const unsigned char loopback6[16] = {[15] = 1};

static int failed(int code)
{
    return code < 0;
}

/* Every name that a client may call this machine's service by. */
static int set_names(gnutls_x509_crt_t crt, const char *host)
{
    int code =
        gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "Farfield service", 16);
    if (!failed(code))
        code = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "localhost", 9,
                                                    GNUTLS_FSAN_SET);
    if (!failed(code))
        code = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, loopback4,
                                                    sizeof loopback4, GNUTLS_FSAN_APPEND);
    if (!failed(code))
        code = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, loopback6,
                                                    sizeof loopback6, GNUTLS_FSAN_APPEND);
    if (!failed(code) && host[0] != '\0')
        code = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host,
                                                    (unsigned)strlen(host), GNUTLS_FSAN_APPEND);
    return code;
}

static int fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *host)
{
    unsigned char serial[SERIAL_SIZE];
    time_t now = time(NULL);
    if (getrandom(serial, sizeof serial, 0) != SERIAL_SIZE)
        return GNUTLS_E_RANDOM_FAILED;
    serial[0] &= 0x7f;
    int code = gnutls_x509_crt_set_version(crt, 3);
    if (!failed(code))
        code = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
    if (!failed(code))
        code = set_names(crt, host);
    /* A day back: clocks of an institute differ. */
    if (!failed(code))
        code = gnutls_x509_crt_set_activation_time(crt, now - DAY_S);
    if (!failed(code))
        code = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)YEARS * 365 * DAY_S);
    if (!failed(code))
        code = gnutls_x509_crt_set_key(crt, key);
    if (!failed(code))
        code = gnutls_x509_crt_set_basic_constraints(crt, 1, -1);
    if (!failed(code))
        code = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE |
                                                      GNUTLS_KEY_KEY_CERT_SIGN);
    if (!failed(code))
        code = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (!failed(code))
        code = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
    return code;
}

static int write_both(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
                      const char *certificate_path, const char *key_path, struct ff_error *error)
{
    gnutls_datum_t certificate_pem = {NULL, 0};
    gnutls_datum_t key_pem = {NULL, 0};
    int result = -1;
    if (failed(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &certificate_pem)) ||
        failed(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                                 &key_pem))) {
        ff_fail(error, FF_INTERNAL, "cannot write the service's certificate as PEM");
    } else {
        struct ff_span certificate = {certificate_pem.data, certificate_pem.size};
        struct ff_span secret = {key_pem.data, key_pem.size};
        /* The key first: a certificate without its key would be kept, and be of no use. */
        if (ff_file_write(key_path, secret, 0600, error) == 0 &&
            ff_file_write(certificate_path, certificate, 0644, error) == 0)
            result = 0;
    }
    gnutls_free(certificate_pem.data);
    if (key_pem.data != NULL)
        explicit_bzero(key_pem.data, key_pem.size);
    gnutls_free(key_pem.data);
    return result;
}

int ff_certificate_make(const char *certificate_path, const char *key_path, struct ff_error *error)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t crt = NULL;
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    int result = -1;
    int code = gnutls_x509_privkey_init(&key);
    if (!failed(code))
        code = gnutls_x509_crt_init(&crt);
    if (!failed(code))
        code = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                            GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (!failed(code))
        code = fill(crt, key, host);
    if (failed(code))
        ff_fail(error, FF_INTERNAL, "cannot make the service's certificate: %s",
                gnutls_strerror(code));
    else
        result = write_both(crt, key, certificate_path, key_path, error);
    if (crt != NULL)
        gnutls_x509_crt_deinit(crt);
    if (key != NULL)
        gnutls_x509_privkey_deinit(key);
    return result;
}
