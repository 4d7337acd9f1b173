/* Key and state of a witness belong together, and a witness that lost one of them does not sign. */
#include "store/test-home.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "exchange/witness-home.h"

struct scene {
	struct test_home h;
	int dir;
	struct note_key self;
};

static void scene_make(struct scene *s)
{
	home_make(&s->h);
	assert_ok(witness_home_make(s->h.fd, "w.example", &s->self, e));
	s->dir = openat(s->h.fd, WITNESS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s->dir >= 0);
}

static void scene_remove(struct scene *s)
{
	close(s->dir);
	home_remove(&s->h);
}

static void opens(struct scene *s, const struct note_key *want)
{
	struct sign_key *key = NULL;
	struct note_key self;
	struct store *state = NULL;

	assert_ok(witness_home_open(s->dir, &key, &self, &state, e));
	assert_true(note_key_same(&self, want));
	assert_string_equal(self.name, want->name);
	assert_int_equal(self.type, NOTE_COSIGNATURE);
	store_close(state);
	sign_key_free(key);
}

/* Refused, with a sentence that names the way on. */
static void refuses(struct scene *s)
{
	struct sign_key *key = NULL;
	struct note_key self;
	struct store *state = NULL;
	struct err e = { 0 };

	assert_false(witness_home_open(s->dir, &key, &self, &state, &e));
	assert_non_null(strstr(e.text, "comity witness new-key"));
	assert_null(key);
}

static void a_new_witness_opens_and_says_its_key(void **state)
{
	struct scene s;
	struct note_key public;

	scene_make(&s);
	opens(&s, &s.self);
	assert_ok(witness_home_public(s.h.fd, &public, e));
	assert_true(note_key_same(&public, &s.self));
	assert_refused(witness_home_make(s.h.fd, "w.example", &public, e), REASON_WRONG_STATE);
	opens(&s, &s.self);
	scene_remove(&s);
}

static void a_key_without_its_state_is_refused(void **state)
{
	struct scene s;

	scene_make(&s);
	assert_int_equal(unlinkat(s.dir, "state.db", 0), 0);
	refuses(&s);
	refuses(&s); /* looking does not make one */
	scene_remove(&s);
}

static void a_state_without_its_key_or_of_another_is_refused(void **state)
{
	struct scene s, other;
	AUTO_BUF key = { 0 };

	buf_init(&key, 4 * KIB);
	scene_make(&s);
	scene_make(&other);
	assert_ok(file_read(other.dir, WITNESS_KEY_FILE, &key, e));
	assert_ok(file_write(s.dir, WITNESS_KEY_FILE, buf_bytes(&key), 0600, false, e));
	refuses(&s);
	assert_int_equal(unlinkat(s.dir, WITNESS_KEY_FILE, 0), 0);
	refuses(&s);
	scene_remove(&other);
	scene_remove(&s);
}

static void a_new_key_begins_with_an_empty_state_and_keeps_the_old_files(void **state)
{
	struct scene s;
	struct note_key new;
	struct sign_key *key = NULL;
	struct store *open_state = NULL;

	scene_make(&s);
	assert_ok(witness_home_open(s.dir, &key, &new, &open_state, e));
	assert_refused(witness_home_renew(s.h.fd, "w.example", &new, e), REASON_BUSY); /* it runs */
	store_close(open_state);
	sign_key_free(key);
	assert_ok(witness_home_renew(s.h.fd, "w.example", &new, e));
	assert_false(note_key_same(&new, &s.self));
	opens(&s, &new);
	assert_int_equal(unlinkat(s.dir, "state.db", 0), 0);
	assert_ok(witness_home_renew(s.h.fd, "w.example", &new, e)); /* also when it was lost */
	opens(&s, &new);
	scene_remove(&s);
}

static void a_name_that_no_note_can_carry_is_refused(void **state)
{
	static const char *const names[] = { "", "two words", "w+x", "w\nx" };
	struct test_home h;
	struct note_key self;
	char long_name[NOTE_NAME_BYTES_MAX + 2];

	home_make(&h);
	memset(long_name, 'w', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_refused(witness_home_make(h.fd, long_name, &self, e), REASON_BAD_ARGUMENT);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_refused(witness_home_make(h.fd, names[i], &self, e), REASON_BAD_ARGUMENT);
	assert_ok(witness_home_make(h.fd, "w.example", &self, e));
	home_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_witness_opens_and_says_its_key),
		cmocka_unit_test(a_key_without_its_state_is_refused),
		cmocka_unit_test(a_state_without_its_key_or_of_another_is_refused),
		cmocka_unit_test(a_new_key_begins_with_an_empty_state_and_keeps_the_old_files),
		cmocka_unit_test(a_name_that_no_note_can_carry_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
