/* What commands print: data on standard output, as text for people or with --json for programs. Whatever
 * came from outside is made printable first. */
#ifndef COMITY_CLI_OUTPUT_H
#define COMITY_CLI_OUTPUT_H

#include "base/json.h"
#include "cli/client.h"

#define KEY_IS_THERE "%s is there already: a key is never written over"
#define OUTPUT_BYTES_MAX (64u * 1024u * 1024u)

/* Rows that most commands have. */
#define OPTION_HOME { "home", 'C', OPTION_VALUE, "DIR", "folder of the home (else COMITY_HOME)" }
#define OPTION_JSON { "json", 0, OPTION_FLAG, NULL, "print JSON for a program" }
#define OPTION_QUIET { "quiet", 'q', OPTION_FLAG, NULL, "no progress on standard error" }
#define OPTION_END { 0 }

void output_printable(struct buf *out, const char *text);                    /* one line's worth */
void output_lines(struct buf *out, const char *text);                        /* keeps line ends, ends with one */
void output_member(struct buf *out, const char *label, const char *text);    /* "label: text", nothing when empty */
void output_time(struct buf *out, const char *time);                         /* UTC and local, without a line end */
void output_member_time(struct buf *out, const char *label, const char *time); /* UTC and local */
void output_findings(struct buf *out, const json_t *findings);               /* one line each */
int local_offset_minutes(int64_t at_ms);

/* Writes to standard output. */
bool output_write(struct buf *text, struct err *e) MUST_USE;
/* v as JSON with --json, else what print makes of it. Returns the exit status. */
int output_value(const struct args *a, const json_t *v, void (*print)(const json_t *v, struct buf *out));
/* Asks the node one thing and prints the answer. in is taken. */
int output_call(const struct args *a, const char *verb, json_t *in, void (*print)(const json_t *v, struct buf *out));
/* 0, or the error told and its status. */
int command_ended(bool ok, const struct err *e);

/* Files named on command lines: "-" is standard input. */
bool input_read(const char *path, struct buf *out, struct err *e) MUST_USE;

#endif
