/* Opening the classes of our leaves by the quarter (log/openings.h, design.md part 10). The first slot of a quarter
 * fixes where the one before ended. A quarter after its end the file HOME/log/openings/<period> is written, in
 * portions, and stated (kind class-openings, published). Leaves of a class with a longer embargo, as the log's parameters
 * of the period's last week say, stay closed in it; when an embargo ends, a new file takes the place of the old one, with a
 * new statement. */
#ifndef COMITY_EXCHANGE_OPENINGS_H
#define COMITY_EXCHANGE_OPENINGS_H

#include "exchange/node.h"

bool openings_open(struct node *n, struct err *e) MUST_USE;
void openings_free(struct openings *o);
/* Inside the transaction of a slot, before its leaves. */
bool openings_slot(struct node *n, int64_t now_ms, struct err *e) MUST_USE;
/* The next portion, while n->openings_due; its own transaction when a file is complete. What fails is begun again
 * an hour later. */
bool openings_portion(struct node *n, int64_t now_ms, struct err *e) MUST_USE;

#endif
