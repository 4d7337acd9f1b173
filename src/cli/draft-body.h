/* Bodies of statements as a person fills them in: the empty form of a kind, what a file says, what --set
 * says. Whether the result is complete is the node's to tell. */
#ifndef COMITY_CLI_DRAFT_BODY_H
#define COMITY_CLI_DRAFT_BODY_H

#include "base/json.h"
#include "base/text.h"

/* Every member of the kind, empty. A new reference. */
bool draft_body_form(const char *kind, json_t **ret, struct err *e) MUST_USE;
/* What `from` (JSON) has over the form; members that the form does not know stay for the node to refuse. */
void draft_body_merge(json_t *form, const json_t *from);
/* "data[0].category=traffic", typed as the form is; times may be "+30d" or "-12h" from now. A list of texts
 * takes one more item. */
bool draft_body_set(json_t *body, const char *assignment, struct err *e) MUST_USE;
bool draft_body_set_text(json_t *body, const char *path, const char *value, struct err *e) MUST_USE;
/* "40(19): only in this case" as one more condition of use. */
bool draft_body_condition(json_t *body, const char *text, struct err *e) MUST_USE;
/* Members that are times, in the one spelling: "2026-11-20", "2026-11-20T10:00Z" and "+30d" become it. */
void draft_body_times(const char *kind, json_t *body);
bool draft_time_relative(const char *value, char out[static TIME_TEXT_LEN + 1]);
/* Takes out list items in which nothing was filled in. */
void draft_body_finish(json_t *body);

#endif
