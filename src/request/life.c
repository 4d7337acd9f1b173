/* Looks moves up in the table; there is no other way to change a request's state. */
#include "request/life.h"

static const struct {
	const char *code, *words;
	bool open;
} states[LIFE_STATE_COUNT] = {
#define STATE(name, code, words, open) [LIFE_##name] = { code, words, open },
#include "request/states.tbl.h"
};

static const char *const events[LIFE_EVENT_COUNT] = {
#define EVENT(name, code) [EVENT_##name] = code,
#include "request/events.tbl.h"
};

static const struct life_move moves[] = {
#define MOVE(kind, side, from, event, to, why) \
	{ LIFE_##kind, LIFE_##side, LIFE_##from, EVENT_##event, LIFE_##to, why },
#include "request/life.tbl.h"
};

#define MOVE_COUNT (sizeof(moves) / sizeof(moves[0]))

size_t life_count(void)
{
	return MOVE_COUNT;
}

const struct life_move *life_at(size_t i)
{
	return i < MOVE_COUNT ? &moves[i] : NULL;
}

bool life_kind_of(struct bytes statement_kind, enum life_kind *ret)
{
	if (bytes_is(statement_kind, "preservation-request"))
		*ret = LIFE_PRES;
	else if (bytes_is(statement_kind, "stored-data-request"))
		*ret = LIFE_DATA;
	else
		return false;
	return true;
}

bool life_find(enum life_kind kind, enum life_side side, enum life_state from, enum life_event event,
	       const struct life_move **ret, struct err *e)
{
	char possible[200] = "";
	size_t used = 0;

	for (size_t i = 0; i < MOVE_COUNT; i++) {
		const struct life_move *m = &moves[i];
		if ((m->kind & kind) == 0 || (m->side & side) == 0 || m->from != from)
			continue;
		if (m->event == event) {
			*ret = m;
			return true;
		}
		int n = snprintf(possible + used, sizeof(possible) - used, "%s%s", used > 0 ? ", " : "",
				 events[m->event]);
		if (n > 0 && (size_t)n < sizeof(possible) - used)
			used += (size_t)n;
		else
			possible[used] = '\0';
	}
	return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE,
		       "the request is \"%s\"; %s does not move it from there (possible: %s)",
		       states[from].code, events[event], used > 0 ? possible : "nothing more");
}

bool life_event_of_outcome(struct bytes outcome, enum life_event *ret)
{
	static const struct {
		const char *outcome;
		enum life_event event;
	} table[] = {
		{ "accepted", EVENT_ACCEPTED },
		{ "accepted-with-conditions", EVENT_ACCEPTED },
		{ "more-information", EVENT_INFO },
		{ "redirected", EVENT_REDIRECTED },
		{ "unable", EVENT_UNABLE },
		{ "no-data", EVENT_UNABLE },
		{ "postponed", EVENT_POSTPONED },
		{ "refused", EVENT_REFUSED },
		{ "withdrawn", EVENT_WITHDRAWN },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (bytes_is(outcome, table[i].outcome)) {
			*ret = table[i].event;
			return true;
		}
	}
	return false;
}

const char *life_state_code(enum life_state s)
{
	return states[s].code;
}

const char *life_state_words(enum life_state s)
{
	return states[s].words;
}

bool life_state_is_open(enum life_state s)
{
	return states[s].open;
}

bool life_state_find(struct bytes code, enum life_state *ret)
{
	for (size_t i = 0; i < LIFE_STATE_COUNT; i++) {
		if (bytes_is(code, states[i].code)) {
			*ret = (enum life_state)i;
			return true;
		}
	}
	return false;
}

const char *life_event_code(enum life_event v)
{
	return events[v];
}
