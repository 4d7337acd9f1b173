/* The duty desk's clocks: paging until a person acknowledges (art. 41(1)), and holds that end (42(8)). */
#ifndef COMITY_EXCHANGE_DUTY_H
#define COMITY_EXCHANGE_DUTY_H

#include "exchange/node.h"

struct duty_page {
	int64_t seq;               /* tell duty_paged when the command has ended */
	char officer[128];
	struct buf words;          /* release */
};
/* Inside a transaction: the next page that is due, recorded as a statement too. *ret_found false: none. */
bool duty_next(struct node *n, int64_t now_ms, struct duty_page *ret, bool *ret_found, struct err *e) MUST_USE;
bool duty_paged(struct node *n, int64_t seq, int exit_status, int64_t now_ms, struct err *e) MUST_USE;
/* Holds whose time is over lapse, on both sides by the same rule. */
bool duty_clocks(struct node *n, int64_t now_ms, struct err *e) MUST_USE;

#endif
