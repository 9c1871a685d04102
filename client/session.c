#include "client/session.h"

#include "protocol/core/file.h"
#include "protocol/core/text.h"
#include "protocol/core/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_LIMIT = 4096 };

struct ff_session {
    char *home;
    char *url;
    char *certificate; /* path */
    char *token_path;
    struct ff_http *http;
};

/* Where config.yaml is being read. */
struct reading {
    struct ff_session *session;
    const char *path;
};

static int keep(char **field, const char *value, struct ff_error *error)
{
    char *copy = strdup(value);
    if (copy == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the configuration");
    free(*field);
    *field = copy;
    return 0;
}

static int keep_path(struct ff_session *session, char **field, const char *value,
                     struct ff_error *error)
{
    if (value[0] == '/')
        return keep(field, value, error);
    char *whole = ff_path_join(session->home, value);
    if (whole == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the configuration");
    free(*field);
    *field = whole;
    return 0;
}

static int take_pair(void *user, const char *key, const char *value, int line,
                     struct ff_error *error)
{
    struct reading *reading = user;
    struct ff_session *session = reading->session;
    if (strcmp(key, "service.url") == 0)
        return keep(&session->url, value, error);
    if (strcmp(key, "service.certificate") == 0)
        return keep_path(session, &session->certificate, value, error);
    if (strcmp(key, "service.token") == 0)
        return keep_path(session, &session->token_path, value, error);
    static const char *const names[] = {"service.url", "service.certificate", "service.token"};
    ff_fail(error, FF_UNKNOWN_SETTING, "%s, line %d: there is no setting %s", reading->path, line,
            key);
    const char *nearest = ff_text_nearest(key, names, 3);
    if (nearest != NULL)
        return ff_hint(error, "did you mean %s?", nearest);
    return ff_hint(error, "it holds service.url, service.certificate and service.token");
}

static int check_configuration(struct ff_session *session, const char *path, struct ff_error *error)
{
    const char *missing = session->url == NULL           ? "url"
                          : session->certificate == NULL ? "certificate"
                          : session->token_path == NULL  ? "token"
                                                         : NULL;
    if (missing != NULL)
        return ff_fail(error, FF_INVALID_ARGUMENT, "%s does not set service.%s", path, missing);
    if (strncmp(session->url, "https://", 8) != 0 || session->url[8] == '\0') {
        ff_fail(error, FF_INVALID_ARGUMENT,
                "%s: service.url is '%s', which is not https://HOST:PORT", path, session->url);
        return ff_hint(error, "nothing is ever sent in clear; the service listens with TLS");
    }
    for (size_t length = strlen(session->url); session->url[length - 1] == '/'; length--)
        session->url[length - 1] = '\0';
    return 0;
}

static int read_configuration(struct ff_session *session, struct ff_error *error)
{
    char *path = ff_path_join(session->home, "config.yaml");
    if (path == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for the configuration");
    struct reading reading = {.session = session, .path = path};
    struct ff_error why;
    int result = ff_yaml_read(path, take_pair, &reading, &why);
    if (result == 0)
        result = check_configuration(session, path, &why);
    if (result < 0 && error != NULL)
        *error = why;
    if (result < 0 && why.code == FF_INPUT_MISSING) {
        ff_fail(error, FF_UNREACHABLE, "no service is set up: %s is not there", path);
        ff_hint(error, "start one on this host with `farfield service start`, or write the address "
                       "of yours there (man farfield, FILES)");
    }
    free(path);
    return result;
}

/* The first line of the token's file; the caller erases and frees it. */
static char *read_token(const struct ff_session *session, struct ff_error *error)
{
    char *text = NULL;
    size_t size = 0;
    struct ff_error why;
    if (ff_file_read(session->token_path, TOKEN_LIMIT, &text, &size, &why) < 0) {
        ff_fail(error, FF_UNAUTHENTICATED, "cannot read the token: %s", why.message);
        ff_hint(error, "put one there that `farfield token create` printed on the service's host");
        return NULL;
    }
    text[strcspn(text, "\r\n")] = '\0';
    size_t length = strlen(text);
    bool good = length > 0;
    for (size_t i = 0; i < length; i++)
        good = good && text[i] > ' ' && text[i] < 0x7f;
    if (good)
        return text;
    explicit_bzero(text, size);
    free(text);
    ff_fail(error, FF_UNAUTHENTICATED, "%s does not hold a token", session->token_path);
    ff_hint(error, "a token is one line without spaces; `farfield token create` prints one");
    return NULL;
}

struct ff_session *ff_session_open(const char *home, struct ff_error *error)
{
    struct ff_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a session");
        return NULL;
    }
    session->home = home != NULL ? strdup(home) : ff_home(error);
    if (session->home == NULL && home != NULL)
        ff_fail(error, FF_NO_MEMORY, "no memory for a session");
    if (session->home != NULL && read_configuration(session, error) == 0) {
        char *token = read_token(session, error);
        if (token != NULL) {
            session->http = ff_http_create(session->url, session->certificate, token, error);
            explicit_bzero(token, strlen(token));
            free(token);
        }
    }
    if (session->http != NULL)
        return session;
    ff_session_close(session);
    return NULL;
}

void ff_session_close(struct ff_session *session)
{
    if (session == NULL)
        return;
    ff_http_destroy(session->http);
    free(session->token_path);
    free(session->certificate);
    free(session->url);
    free(session->home);
    free(session);
}

const char *ff_session_home(const struct ff_session *session)
{
    return session->home;
}

const char *ff_session_url(const struct ff_session *session)
{
    return session->url;
}

void ff_session_set_interrupt(struct ff_session *session, const volatile sig_atomic_t *flag)
{
    ff_http_set_interrupt(session->http, flag);
}

const char *ff_session_error_name(const struct ff_error *error)
{
    return ff_error_name(error->code);
}

int ff_session_exit_status(const struct ff_error *error)
{
    return ff_error_exit_status(error->code);
}

struct ff_http *ff_session_http(struct ff_session *session)
{
    return session->http;
}

static int parse_reply(struct ff_session *session, const struct ff_buffer *answer, json_t **reply,
                       struct ff_error *error)
{
    json_error_t why;
    json_t *value = json_loadb((const char *)answer->data, answer->size, JSON_ALLOW_NUL, &why);
    if (value == NULL)
        return ff_fail(error, FF_PROTOCOL, "%s answered with something that is not JSON: %s",
                       session->url, why.text);
    *reply = value;
    return 0;
}

int ff_session_exchange(struct ff_session *session, const char *method, const char *path,
                        const json_t *body, const char *idempotency_key, enum ff_repeat repeat,
                        int wait_ms, json_t **reply, struct ff_error *error)
{
    char *text = NULL;
    if (body != NULL && (text = json_dumps(body, JSON_COMPACT)) == NULL)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a request");
    struct ff_http_request request = {
        .method = method,
        .path = path,
        .body = ff_span_of(text),
        .idempotency_key = idempotency_key,
        .repeatable = idempotency_key != NULL || repeat == FF_REPEATABLE,
        .wait_ms = wait_ms,
    };
    struct ff_buffer answer;
    int result = ff_http_send(session->http, &request, &answer, error);
    if (result == 0 && reply != NULL)
        result = parse_reply(session, &answer, reply, error);
    ff_buffer_dispose(&answer);
    free(text);
    return result;
}

int ff_session_request(struct ff_session *session, const char *method, const char *path,
                       const json_t *body, int wait_ms, json_t **reply, struct ff_error *error)
{
    enum ff_repeat repeat = strcmp(method, "GET") == 0 ? FF_REPEATABLE : FF_ONCE;
    return ff_session_exchange(session, method, path, body, NULL, repeat, wait_ms, reply, error);
}

int ff_session_do(struct ff_session *session, const char *method, const char *path,
                  struct ff_error *error)
{
    return ff_session_exchange(session, method, path, NULL, NULL, FF_ONCE, 0, NULL, error);
}

int ff_session_path(char path[FF_PATH_SIZE], const char *before, const char *what, const char *name,
                    const char *behind, struct ff_error *error)
{
    if (!ff_text_is_name(name)) {
        ff_fail(error, FF_INVALID_ARGUMENT, "'%s' can be neither the id nor the name of a %s", name,
                what);
        return ff_hint(error, "names have 1…64 of A-Z a-z 0-9 . _ - and do not begin with . or -");
    }
    snprintf(path, FF_PATH_SIZE, "%s%s%s", before, name, behind);
    return 0;
}
