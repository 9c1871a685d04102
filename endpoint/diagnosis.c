#include "endpoint/diagnosis.h"

#include <stdio.h>

static void print_json_text(const char *text)
{
    putchar('"');
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            printf("\\%c", *at);
        else if ((unsigned char)*at < ' ')
            printf("\\u%04x", (unsigned char)*at);
        else
            putchar(*at);
    }
    putchar('"');
}

void ff_diagnosis_say(struct ff_diagnosis *diagnosis, enum ff_diagnosis_level level,
                      const char *check, const char *text, const char *hint)
{
    static const char *const names[] = {"ok", "warning", "error"};
    diagnosis->errors = diagnosis->errors || level == FF_ERROR;
    if (!diagnosis->json) {
        printf("%-8s %-10s %s\n", names[level], check, text);
        if (hint[0] != '\0')
            printf("%-8s %-10s → %s\n", "", "", hint);
        return;
    }
    printf("%s{\"check\": \"%s\", \"level\": \"%s\", \"text\": ", diagnosis->first ? "" : ", ",
           check, names[level]);
    print_json_text(text);
    printf(", \"hint\": ");
    print_json_text(hint);
    printf("}");
    diagnosis->first = false;
}

void ff_diagnosis_say_error(struct ff_diagnosis *diagnosis, enum ff_diagnosis_level level,
                            const char *check, const struct ff_error *error)
{
    ff_diagnosis_say(diagnosis, level, check, error->message, error->hint);
}
