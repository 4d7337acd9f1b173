/* The custody of exhibits, read from custody statements (evidence.md 1.2). Each party numbers and chains its
 * own events of an exhibit; where an exhibit changes hands, what the sender transmitted the receiver
 * accepted, with the same digest. The same statements are rendered as CASE/UCO 1.4 JSON-LD for other
 * tools (evidence.md 1.3): the statements are what is signed, the rendering follows from them. */
#ifndef COMITY_EVIDENCE_CUSTODY_H
#define COMITY_EVIDENCE_CUSTODY_H

#include "base/buf.h"
#include "base/err.h"
#include "statement/statement.h"

/* index: of the statement in the list that the sentence is about. */
typedef void chain_problem(void *ctx, size_t index, const char *text);

bool is_custody(const struct statement *s);
bool is_exhibit(const struct statement *s);
/* Judges all custody and exhibit statements of the list; others are passed over. Tells what is wrong:
 *   a number missing, twice, or an event that does not name the one before it; times that run backwards;
 *   a transmit without its accept (or the receiver's confirmation), an accept without its transmit, or
 *   another digest on the way;
 *   an exhibit that names a custody event which is not there, or has none of its own content. */
void chain_judge(const struct statement *const *list, size_t n, chain_problem *problem, void *ctx);
/* Appends the canonical JSON-LD, in the order of the list. */
bool chain_render(const struct statement *const *list, size_t n, struct buf *out, struct err *e) MUST_USE;

#endif
