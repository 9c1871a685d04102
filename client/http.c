#include "client/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNECT_MS = 5000,
    ANSWER_MS = 30000, /* beside the time that the service was asked to hold the answer */
    STALLED_S = 60,    /* transfers without a limit of time end when nothing moved for so long */
    ANSWER_LIMIT = 256 << 20,
    ERROR_LIMIT = 1 << 20,
};

struct ff_http {
    CURL *curl;
    char *url;
    char *certificate;
    char *authorization; /* the header */
    const volatile sig_atomic_t *interrupt;
    char curl_text[CURL_ERROR_SIZE];
};

/* One exchange, as the callbacks of curl see it. */
struct exchange {
    struct ff_http *http;
    const struct ff_http_request *request;
    struct ff_buffer *answer;
    uint64_t uploaded;
    bool sink_failed;
    struct ff_error sink_error;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_state;

static void prepare_curl(void)
{
    curl_state = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take_piece(char *data, size_t unit, size_t count, void *user)
{
    struct exchange *exchange = user;
    size_t size = unit * count;
    long status = 0;
    curl_easy_getinfo(exchange->http->curl, CURLINFO_RESPONSE_CODE, &status);
    const struct ff_http_request *request = exchange->request;
    if (request->sink != NULL && status / 100 == 2) {
        struct ff_span piece = {data, size};
        if (request->sink(request->sink_user, piece, &exchange->sink_error) == 0)
            return size;
        exchange->sink_failed = true;
        return 0;
    }
    if (status / 100 != 2 && exchange->answer->size + size > ERROR_LIMIT)
        return 0;
    ff_buffer_append(exchange->answer, data, size);
    return exchange->answer->failed ? 0 : size;
}

static size_t give_piece(char *data, size_t unit, size_t count, void *user)
{
    struct exchange *exchange = user;
    ssize_t got =
        pread(exchange->request->upload_fd, data, unit * count, (off_t)exchange->uploaded);
    if (got < 0)
        return CURL_READFUNC_ABORT;
    exchange->uploaded += (uint64_t)got;
    return (size_t)got;
}

static int rewind_upload(void *user, curl_off_t offset, int origin)
{
    struct exchange *exchange = user;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    exchange->uploaded = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static int look_at_interrupt(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    const struct ff_http *http = user;
    return http->interrupt != NULL && *http->interrupt != 0;
}

static bool is_loopback(const char *url)
{
    const char *const hosts[] = {"https://127.", "https://localhost", "https://[::1]"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (strncmp(url, hosts[i], strlen(hosts[i])) == 0)
            return true;
    return false;
}

/* What holds for all requests: whom to trust (one certificate and nobody else), and how long to wait for it. */
static void set_up(struct ff_http *http)
{
    CURL *curl = http->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->curl_text);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_CAINFO, http->certificate);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "farfield/" FF_VERSION);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    if (is_loopback(http->url))
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_at_interrupt);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
}

struct ff_http *ff_http_create(const char *url, const char *certificate, const char *token,
                               struct ff_error *error)
{
    pthread_once(&curl_once, prepare_curl);
    struct ff_http *http = calloc(1, sizeof *http);
    if (http != NULL && curl_state == CURLE_OK)
        http->curl = curl_easy_init();
    if (http == NULL || http->curl == NULL) {
        ff_fail(error, FF_INTERNAL, "libcurl cannot be prepared");
        ff_http_destroy(http);
        return NULL;
    }
    http->url = strdup(url);
    http->certificate = strdup(certificate);
    if (asprintf(&http->authorization, "Authorization: Bearer %s", token) < 0)
        http->authorization = NULL;
    if (http->url == NULL || http->certificate == NULL || http->authorization == NULL) {
        ff_fail(error, FF_NO_MEMORY, "no memory for a session");
        ff_http_destroy(http);
        return NULL;
    }
    return http;
}

void ff_http_destroy(struct ff_http *http)
{
    if (http == NULL)
        return;
    if (http->curl != NULL)
        curl_easy_cleanup(http->curl);
    if (http->authorization != NULL)
        explicit_bzero(http->authorization, strlen(http->authorization));
    free(http->authorization);
    free(http->certificate);
    free(http->url);
    free(http);
}

void ff_http_set_interrupt(struct ff_http *http, const volatile sig_atomic_t *flag)
{
    http->interrupt = flag;
}

static void set_body(struct exchange *exchange)
{
    CURL *curl = exchange->http->curl;
    const struct ff_http_request *request = exchange->request;
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->upload) {
        exchange->uploaded = 0;
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_piece);
        curl_easy_setopt(curl, CURLOPT_READDATA, exchange);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, rewind_upload);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, exchange);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->upload_size);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    } else if (request->body.size > 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data);
    }
}

static struct curl_slist *make_headers(const struct exchange *exchange)
{
    const struct ff_http_request *request = exchange->request;
    struct curl_slist *headers = curl_slist_append(NULL, exchange->http->authorization);
    /* Without waiting for a "100 Continue", which costs a round trip. */
    headers = curl_slist_append(headers, "Expect:");
    headers = curl_slist_append(headers, request->upload ? "Content-Type: application/octet-stream"
                                                         : "Content-Type: application/json");
    if (request->idempotency_key != NULL) {
        char line[256];
        snprintf(line, sizeof line, "Idempotency-Key: %s", request->idempotency_key);
        headers = curl_slist_append(headers, line);
    }
    return headers;
}

static int perform(struct exchange *exchange, CURLcode *outcome, long *status,
                   struct ff_error *error)
{
    struct ff_http *http = exchange->http;
    const struct ff_http_request *request = exchange->request;
    char *url = NULL;
    if (asprintf(&url, "%s%s", http->url, request->path) < 0)
        return ff_fail(error, FF_NO_MEMORY, "no memory for a request");
    set_up(http);
    set_body(exchange);
    struct curl_slist *headers = make_headers(exchange);
    http->curl_text[0] = '\0';
    /* curl sends a request again by itself when a kept connection turns out to be closed: not one that must not be. */
    curl_easy_setopt(http->curl, CURLOPT_FRESH_CONNECT, request->repeatable ? 0L : 1L);
    curl_easy_setopt(http->curl, CURLOPT_URL, url);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, take_piece);
    curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, exchange);
    if (request->upload || request->sink != NULL) {
        curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
    } else {
        curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS + request->wait_ms);
    }
    *outcome = curl_easy_perform(http->curl);
    *status = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, status);
    curl_slist_free_all(headers);
    free(url);
    return 0;
}

static int fail_connect(const struct ff_http *http, CURLcode outcome, struct ff_error *error)
{
    long number = 0;
    curl_easy_getinfo(http->curl, CURLINFO_OS_ERRNO, &number);
    const char *why = http->curl_text[0] != '\0' ? http->curl_text : curl_easy_strerror(outcome);
    if (number != 0 && outcome == CURLE_COULDNT_CONNECT)
        why = strerror((int)number);
    ff_fail(error, FF_UNREACHABLE, "cannot reach the service at %s: %s", http->url, why);
    if (is_loopback(http->url))
        return ff_hint(error, "start it with `farfield service start`, or see why it does not run: "
                              "farfield service logs");
    return ff_hint(error, "is it running there, and can this host reach it? The address stands in "
                          "config.yaml, service.url");
}

/* What a failed transfer means to a person. */
static int fail_transfer(const struct ff_http *http, CURLcode outcome, struct ff_error *error)
{
    const char *why = http->curl_text[0] != '\0' ? http->curl_text : curl_easy_strerror(outcome);
    switch (outcome) {
    case CURLE_ABORTED_BY_CALLBACK:
        return ff_fail(error, FF_TIMED_OUT, "interrupted");
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return fail_connect(http, outcome, error);
    case CURLE_PEER_FAILED_VERIFICATION:
        ff_fail(error, FF_UNREACHABLE, "who answers at %s is not the holder of %s (%s)", http->url,
                http->certificate, why);
        return ff_hint(error, "if the service was set up anew, copy its certificate.pem over that "
                              "file; if not, somebody else listens there");
    case CURLE_SSL_CACERT_BADFILE:
        ff_fail(error, FF_INVALID_ARGUMENT, "the certificate %s cannot be used: %s",
                http->certificate, why);
        return ff_hint(error, "copy the service's certificate.pem there");
    case CURLE_OPERATION_TIMEDOUT:
        ff_fail(error, FF_TIMED_OUT, "the service at %s did not answer in time", http->url);
        return ff_hint(error, "see what it does: farfield service status, farfield service logs");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return ff_fail(error, FF_INVALID_ARGUMENT, "%s is not an address that can be used: %s",
                       http->url, why);
    default:
        return ff_fail(error, FF_UNREACHABLE, "the connection to the service at %s broke: %s",
                       http->url, why);
    }
}

static const char *text_of(const json_t *body, const char *key)
{
    const char *text = json_string_value(json_object_get(body, key));
    return text != NULL ? text : "";
}

/* {"code","message","hint"} as an error; a body that is no such thing is told as what it is. */
static int fail_answer(const struct ff_http *http, long status, const struct ff_buffer *answer,
                       struct ff_error *error)
{
    json_t *body = json_loadb((const char *)answer->data, answer->size, 0, NULL);
    const char *name = text_of(body, "code");
    if (name[0] != '\0') {
        enum ff_error_code code = ff_error_code_from_name(name, strlen(name));
        const char *message = text_of(body, "message");
        ff_fail(error, code, "%s", message[0] != '\0' ? message : ff_error_text(code));
        if (text_of(body, "hint")[0] != '\0')
            ff_hint(error, "%s", text_of(body, "hint"));
        else if (code == FF_UNAUTHENTICATED)
            ff_hint(error, "the token lies in the file that config.yaml names as service.token");
    } else {
        ff_fail(error, status >= 500 ? FF_UNREACHABLE : FF_PROTOCOL,
                "%s answered with HTTP status %ld and nothing that a Farfield service says",
                http->url, status);
        ff_hint(error, "is this the address of a Farfield service?");
    }
    json_decref(body);
    return -1;
}

/* Whether the service may not have seen the request, or seen it and lost the connection before it answered. */
static bool broke(CURLcode outcome)
{
    return outcome == CURLE_SEND_ERROR || outcome == CURLE_RECV_ERROR ||
           outcome == CURLE_GOT_NOTHING || outcome == CURLE_PARTIAL_FILE;
}

int ff_http_send(struct ff_http *http, const struct ff_http_request *request,
                 struct ff_buffer *answer, struct ff_error *error)
{
    ff_buffer_init(answer, request->limit > 0 ? request->limit : ANSWER_LIMIT);
    struct exchange exchange = {.http = http, .request = request, .answer = answer};
    CURLcode outcome = CURLE_OK;
    long status = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        ff_buffer_clear(answer);
        if (perform(&exchange, &outcome, &status, error) < 0)
            return -1;
        if (!broke(outcome) || !request->repeatable || request->sink != NULL)
            break;
    }
    if (exchange.sink_failed) {
        if (error != NULL)
            *error = exchange.sink_error;
        return -1;
    }
    if (outcome == CURLE_WRITE_ERROR && answer->failed)
        return ff_buffer_check(answer, "the answer of the service", error);
    /* A service that refuses a large body may close before it has read it all: what it said counts. */
    if (outcome != CURLE_OK && !(status >= 400 && answer->size > 0))
        return fail_transfer(http, outcome, error);
    if (status / 100 != 2)
        return fail_answer(http, status, answer, error);
    return 0;
}
