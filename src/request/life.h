/* The life of one request as a table (life.tbl.h): which statement moves it from where to where, on
 * whose side, and why. The rules of design.md part 6 and treaty paragraphs stand in the rows. */
#ifndef COMITY_REQUEST_LIFE_H
#define COMITY_REQUEST_LIFE_H

#include "base/bytes.h"
#include "base/err.h"

enum life_state {
#define STATE(name, code, words, open) LIFE_##name,
#include "request/states.tbl.h"
	LIFE_STATE_COUNT
};

enum life_event {
#define EVENT(name, code) EVENT_##name,
#include "request/events.tbl.h"
	LIFE_EVENT_COUNT
};

enum life_kind { LIFE_PRES = 1, LIFE_DATA = 2, LIFE_BOTH = 3 };
enum life_side { LIFE_ASKING = 1, LIFE_ASKED = 2, LIFE_EITHER = 3 };

struct life_move {
	enum life_kind kind;
	enum life_side side;
	enum life_state from;
	enum life_event event;
	enum life_state to;
	const char *why;
};

size_t life_count(void);
const struct life_move *life_at(size_t i);

/* The kind of life that a statement kind begins; false for kinds that are no requests. */
bool life_kind_of(struct bytes statement_kind, enum life_kind *ret);
/* ERR_CONFLICT, with a sentence that says what would be possible, when no row allows the move. */
bool life_find(enum life_kind kind, enum life_side side, enum life_state from, enum life_event event,
	       const struct life_move **ret, struct err *e) MUST_USE;
/* Which event an answer's outcome is ("accepted" -> EVENT_ACCEPTED); false: it moves nothing. */
bool life_event_of_outcome(struct bytes outcome, enum life_event *ret);

const char *life_state_code(enum life_state s);
const char *life_state_words(enum life_state s);
bool life_state_is_open(enum life_state s);
bool life_state_find(struct bytes code, enum life_state *ret);
const char *life_event_code(enum life_event v);

#endif
