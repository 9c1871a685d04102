/*
 * protocol/core/yaml.h: the configuration files of Farfield, which are YAML with one level of
 * nesting.
 *
 *     service:
 *       url: https://127.0.0.1:8443      → "service.url"
 *     max_retries: 2                     → "max_retries"
 *     tags: [a, b]                       → "tags" twice
 *
 * Links libyaml, so it is a library of its own (ff_yaml).
 */
#ifndef FF_PROTOCOL_CORE_YAML_H
#define FF_PROTOCOL_CORE_YAML_H

#include "protocol/core/bytes.h"

/* Called for each scalar in order; `key` is the path with dots, `line` counts from 1. Nonzero ends
 * the reading with the error that it filled. */
typedef int ff_yaml_pair(void *user, const char *key, const char *value, int line,
                         struct ff_error *error);

/* At most 1 MiB; anchors, aliases and deeper nesting are refused, with file and line. */
int ff_yaml_read(const char *path, ff_yaml_pair *pair, void *user,
                 struct ff_error *error) FF_MUST_USE;

/* A scalar in double quotes, as YAML reads it back. */
void ff_yaml_quote(struct ff_buffer *buffer, const char *value);

#endif
