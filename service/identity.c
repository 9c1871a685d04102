#include "service/identity.h"

#include "protocol/core/file.h"
#include "protocol/core/text.h"
#include "protocol/core/yaml.h"
#include "service/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { PEM_LIMIT = 65536, SECRET_TEXT_SIZE = 2 * FF_ID_SECRET_SIZE, CONFIG_LIMIT = 8192 };

static int load_secret(const char *path, uint8_t secret[FF_ID_SECRET_SIZE], struct ff_error *error)
{
    char *text = NULL;
    size_t size = 0;
    if (access(path, F_OK) != 0) {
        char made[SECRET_TEXT_SIZE + 1];
        if (getrandom(secret, FF_ID_SECRET_SIZE, 0) != FF_ID_SECRET_SIZE)
            return ff_fail_errno(error, FF_INTERNAL, errno, "the kernel gives no random numbers");
        ff_text_hex(secret, FF_ID_SECRET_SIZE, made);
        return ff_file_write(path, ff_span_of(made), 0600, error);
    }
    if (ff_file_read(path, PEM_LIMIT, &text, &size, error) < 0)
        return -1;
    int result = 0;
    if (size < SECRET_TEXT_SIZE ||
        ff_text_unhex(text, SECRET_TEXT_SIZE, secret, FF_ID_SECRET_SIZE) < 0)
        result = ff_fail(error, FF_INPUT_INVALID, "%s is not %d hexadecimal digits", path,
                         SECRET_TEXT_SIZE);
    free(text);
    return result;
}

static int load_certificate(const char *folder, struct ff_identity *identity,
                            struct ff_error *error)
{
    char *certificate = ff_path_join(folder, "certificate.pem");
    char *key = ff_path_join(folder, "key.pem");
    size_t size;
    int result = -1;
    if (certificate == NULL || key == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    else if ((access(certificate, F_OK) == 0 && access(key, F_OK) == 0) ||
             ff_certificate_make(certificate, key, error) == 0)
        result = ff_file_read(certificate, PEM_LIMIT, &identity->certificate, &size, error) == 0 &&
                         ff_file_read(key, PEM_LIMIT, &identity->key, &size, error) == 0
                     ? 0
                     : -1;
    free(certificate);
    free(key);
    return result;
}

int ff_identity_load(const char *folder, struct ff_identity *identity, struct ff_error *error)
{
    memset(identity, 0, sizeof *identity);
    char *curve = ff_path_join(folder, "curve");
    char *secret = ff_path_join(folder, "secret");
    int result = -1;
    if (curve == NULL || secret == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    else if (ff_curve_load_or_make(curve, &identity->curve, error) == 0 &&
             load_secret(secret, identity->secret, error) == 0 &&
             load_certificate(folder, identity, error) == 0)
        result = 0;
    free(curve);
    free(secret);
    if (result < 0)
        ff_identity_dispose(identity);
    return result;
}

void ff_identity_dispose(struct ff_identity *identity)
{
    free(identity->certificate);
    free(identity->key);
    explicit_bzero(identity, sizeof *identity);
}

/* ---- what clients read ---- */

static int look_for_certificate(void *user, const char *key, const char *value, int line,
                                struct ff_error *error)
{
    bool *ours = user;
    (void)line;
    (void)error;
    if (strcmp(key, "service.certificate") == 0)
        *ours = strcmp(value, "service.pem") == 0;
    return 0;
}

static int write_client_config(const char *path, const char *url, struct ff_error *error)
{
    bool ours = access(path, F_OK) != 0;
    if (!ours && ff_yaml_read(path, look_for_certificate, &ours, NULL) < 0)
        ours = false; /* a person's file that we cannot read is a person's file */
    if (!ours)
        return 0;
    struct ff_buffer text;
    ff_buffer_init(&text, CONFIG_LIMIT);
    ff_buffer_append_text(&text,
                          "# Where `farfield` finds the service of this home. Written by the "
                          "service;\n# to use another one, change it and name another "
                          "certificate.\nservice:\n  url: ");
    ff_yaml_quote(&text, url);
    ff_buffer_append_text(&text, "\n  certificate: service.pem\n  token: token\n");
    int result = ff_buffer_check(&text, "config.yaml", error);
    if (result == 0)
        result = ff_file_write(path, ff_buffer_span(&text), 0600, error);
    ff_buffer_dispose(&text);
    return result;
}

int ff_identity_publish(const struct ff_identity *identity, const char *home, const char *url,
                        const char *token, struct ff_error *error)
{
    char *certificate = ff_path_join(home, "service.pem");
    char *config = ff_path_join(home, "config.yaml");
    char *token_file = ff_path_join(home, "token");
    int result = -1;
    if (certificate == NULL || config == NULL || token_file == NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for a path");
    else if (ff_file_write(certificate, ff_span_of(identity->certificate), 0644, error) == 0 &&
             write_client_config(config, url, error) == 0)
        result = 0;
    if (result == 0 && token != NULL) {
        char line[256];
        snprintf(line, sizeof line, "%s\n", token);
        result = ff_file_write(token_file, ff_span_of(line), 0600, error);
        explicit_bzero(line, sizeof line);
    }
    free(certificate);
    free(config);
    free(token_file);
    return result;
}
