/* A quorum that is missed is told to everybody who looks: the officer, the doctor, the journal; and each miss once. */
#include <sys/mman.h>
#include <unistd.h>

#include "base/diag.h"
#include "exchange/audit.h"
#include "exchange/duty.h"
#include "exchange/slots.h"
#include "exchange/test-witnesses.h"

static struct world w;

static int begin(void **state)
{
	witnessed_world_begin(&w);
	return 0;
}

static int end(void **state)
{
	witnessed_world_end(&w);
	return 0;
}

static bool page(char words[static 400])
{
	struct duty_page p = { 0 };
	bool found;

	IN(&w.xa, duty_next(w.xa.node, the_time, &p, &found, e));
	if (found) {
		snprintf(words, 400, "%s", buf_text(&p.words));
		assert_string_equal(p.officer, "omar");
		IN(&w.xa, duty_paged(w.xa.node, p.seq, 0, the_time, e));
	}
	buf_release(&p.words);
	return found;
}

static void a_missed_quorum_is_told_and_paged_once_a_miss(void **state)
{
	char words[400];

	policy_two_of_three(&w, "XA");
	cosigned_slot(&w.xa);
	all_dead(true);
	say_request(&w.xa, "XR");
	cosigned_slot(&w.xa);
	int64_t since = the_time;
	the_time += 60000 - 1;
	assert_int_equal(cosigning_missed_since(w.xa.node), 0);
	assert_false(page(words));
	the_time += 1;
	assert_int_equal(cosigning_missed_since(w.xa.node), since);
	AUTO_JSON *v = cosigning_status(w.xa.node);
	assert_string_equal(json_text(v, "quorum"), "missed");
	assert_int_equal(json_int(v, "waiting"), 1);
	assert_true(page(words));
	assert_non_null(strstr(words, "cosignatures missing since"));
	assert_non_null(strstr(words, "1 letters"));
	assert_false(page(words));
	cosigned_slot(&w.xa);
	assert_false(page(words));
	/* Met, and missed again. */
	all_dead(false);
	the_time += 20000;
	ask_witnesses(&w.xa);
	assert_int_equal(cosigning_missed_since(w.xa.node), 0);
	all_dead(true);
	cosigned_slot(&w.xa);
	the_time += 60000;
	assert_true(page(words));
}

/* The doctor's line, as people read it. */
static const char *doctor(const char *state)
{
	static char text[400];
	AUTO_JSON *checks = json_array();
	const json_t *c;
	size_t i;

	text[0] = '\0';
	assert_ok(node_begin(w.xa.node, e));
	assert_ok(audit_node(w.xa.node, checks, e));
	node_rollback(w.xa.node);
	json_array_foreach(checks, i, c)
		if (strcmp(json_text(c, "name"), "cosignatures") == 0) {
			assert_string_equal(json_bool(c, "note") ? "note" : json_bool(c, "ok") ? "ok" : "FAULT", state);
			snprintf(text, sizeof(text), "%s", json_text(c, "text"));
		}
	return text;
}

static void the_doctor_says_that_a_quorum_is_missed(void **state)
{
	assert_string_equal(doctor("note"), "no policy: no independent witness yet");
	policy_two_of_three(&w, "XA");
	cosigned_slot(&w.xa);
	assert_non_null(strstr(doctor("ok"), "leaves are proved"));
	all_dead(true);
	say_request(&w.xa, "XR");
	cosigned_slot(&w.xa);
	the_time += 60000 - 1;
	assert_non_null(strstr(doctor("ok"), "waits"));
	the_time += 1;
	const char *text = doctor("FAULT");
	assert_ptr_equal(strstr(text, "missing since 20"), text);
	assert_non_null(strstr(text, ": 1 letters wait"));
}

/* What the program said on standard error while one look at the clocks took place; no page command is needed. */
static const char *journal(void)
{
	static char said[2000];
	char words[400];
	int fd = memfd_create("journal", MFD_CLOEXEC), before = dup(STDERR_FILENO);
	ssize_t len;

	assert_true(fd >= 0 && before >= 0);
	assert_ok(config_set(&w.xa.node->config, CONFIG_page_command, "", e));
	fflush(stderr);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	bool paged = page(words);
	fflush(stderr);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	assert_false(paged);
	len = pread(fd, said, sizeof(said) - 1, 0);
	assert_true(len >= 0);
	said[len] = '\0';
	close(fd);
	close(before);
	return said;
}

static void the_journal_has_one_line_when_a_quorum_is_missed_and_one_when_it_is_met(void **state)
{
	diag_start("keeper", DIAG_INFO);
	policy_two_of_three(&w, "XA");
	cosigned_slot(&w.xa);
	assert_string_equal(journal(), "");
	all_dead(true);
	cosigned_slot(&w.xa);
	assert_string_equal(journal(), "");
	the_time += 60000;
	const char *said = journal();
	assert_non_null(strstr(said, "event=quorum-missed since=20"));
	assert_non_null(strstr(said, "level=warning"));
	assert_string_equal(journal(), "");
	all_dead(false);
	the_time += 20000;
	ask_witnesses(&w.xa);
	said = journal();
	assert_non_null(strstr(said, "event=quorum-met missed_since=20"));
	assert_non_null(strstr(said, "level=info"));
	assert_string_equal(journal(), "");
}

static void the_setting_says_after_how_long_a_quorum_is_missed(void **state)
{
	policy_two_of_three(&w, "XA");
	assert_ok(config_set(&w.xa.node->config, CONFIG_quorum_missed_s, "2", e));
	all_dead(true);
	cosigned_slot(&w.xa);
	the_time += 1999;
	assert_int_equal(cosigning_missed_since(w.xa.node), 0);
	the_time += 1;
	assert_int_not_equal(cosigning_missed_since(w.xa.node), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(a_missed_quorum_is_told_and_paged_once_a_miss),
		CLAIM(the_doctor_says_that_a_quorum_is_missed),
		CLAIM(the_journal_has_one_line_when_a_quorum_is_missed_and_one_when_it_is_met),
		CLAIM(the_setting_says_after_how_long_a_quorum_is_missed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
