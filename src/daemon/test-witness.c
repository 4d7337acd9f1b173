/* The witness at work over its channels, without the door's and the keeper's processes: turns are transactions, answers
 * come after them, and what was answered is there when it comes again. */
#include "log/test-witness-scene.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/door-messages.h"
#include "daemon/witness.h"
#include "exchange/witness-home.h"
#include "process/parcel.h"

#define CALLS 64

struct life {
	struct test_home h;
	int dir;
	struct loop *loop;
	struct channel *door, *keeper; /* our ends */
	struct witness *w;
	struct note_key self;
	struct scene *s; /* the log */
};

static void begin(struct life *l, bool with_keeper)
{
	int door[2], keeper[2] = { -1, -1 };
	struct witness_options o = { .dir_fd = l->dir };

	l->loop = o.loop = loop_new();
	assert_ok(channel_pair(door, e));
	if (with_keeper)
		assert_ok(channel_pair(keeper, e));
	o.door_fd = door[1];
	o.keeper_fd = keeper[1];
	l->door = channel_new(door[0]);
	l->keeper = with_keeper ? channel_new(keeper[0]) : NULL;
	assert_ok(witness_new(&o, &l->w, e));
}

static void end(struct life *l)
{
	witness_free(l->w);
	channel_free(l->door);
	channel_free(l->keeper);
	loop_free(l->loop);
}

static void write_logs(struct life *l)
{
	AUTO_BUF line = { 0 };

	buf_init(&line, 4 * KIB);
	buf_add_text(&line, "log ");
	note_key_write(&l->s->log_key, &line);
	buf_add_text(&line, "\n");
	assert_ok(file_write(l->dir, WITNESS_LOGS_FILE, buf_bytes(&line), 0644, false, e));
}

static void life_make(struct life *l, bool with_keeper)
{
	memset(l, 0, sizeof(*l));
	home_make(&l->h);
	l->s = scene_new();
	assert_ok(witness_home_make(l->h.fd, "w.example", &l->self, e));
	l->dir = openat(l->h.fd, WITNESS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	write_logs(l);
	begin(l, with_keeper);
}

static void life_end(struct life *l)
{
	end(l);
	close(l->dir);
	scene_free(l->s);
	home_remove(&l->h);
}

static void say(struct life *l, uint64_t call, enum door_method method, const char *path, struct bytes body)
{
	struct door_message m = { .type = DOOR_CALL, .call = call, .caller = CALLER_PUBLIC, .method = method, .path = bytes_of(path), .body = body };
	AUTO_BUF out = { 0 };

	buf_init(&out, PARCEL_BYTES_MAX);
	door_message_write(&m, &out);
	assert_ok(parcel_send(l->door, buf_bytes(&out), NULL, 0, e));
}

/* Without a turn: whether an answer is there. */
static bool hear(struct life *l, uint64_t *ret_call, unsigned *ret_status, struct buf *body)
{
	int fds[MESSAGE_FDS_MAX], *at = fds;
	size_t nfds = 0;
	struct door_message m;
	AUTO_BUF packet = { 0 }, in = { 0 };

	buf_init(&packet, MESSAGE_BYTES_MAX);
	buf_init(&in, PARCEL_BYTES_MAX);
	enum channel_got got = channel_receive(l->door, &packet, fds, &nfds, NULL);
	if (got == CHANNEL_NOTHING)
		return false;
	assert_int_equal(got, CHANNEL_MESSAGE);
	assert_ok(parcel_open(buf_bytes(&packet), &at, &nfds, &in, e));
	assert_ok(door_message_parse(buf_bytes(&in), &m, e));
	*ret_call = m.call;
	*ret_status = m.status;
	buf_clear(body);
	buf_add(body, m.body);
	return true;
}

static unsigned answer_of(struct life *l, uint64_t call, struct buf *body)
{
	uint64_t got;
	unsigned status;

	for (int i = 0; i < 100; i++) {
		if (hear(l, &got, &status, body)) {
			assert_int_equal(got, call);
			return status;
		}
		assert_ok(loop_turn(l->loop, 0, e));
	}
	fail_msg("no answer");
	return 0;
}

static void call_of(const struct scene *s, uint64_t old, size_t size, struct buf *out)
{
	merkle_hash root, proof[PROOF_HASHES_MAX];
	size_t count = proof_of(s, old, size, proof);
	AUTO_BUF note = { 0 };

	buf_init(&note, 4 * KIB);
	buf_init(out, WITNESS_REQUEST_BYTES_MAX);
	root_of((const merkle_hash *)s->leaves, size, root);
	note_of(s, ORIGIN, size, root, &note);
	assert_ok(witness_request_write(old, (const merkle_hash *)proof, count, buf_bytes(&note), out, e));
}

static void send_call(struct life *l, uint64_t call, uint64_t old, size_t size)
{
	AUTO_BUF request = { 0 };

	call_of(l->s, old, size, &request);
	say(l, call, METHOD_POST, "/add-checkpoint", buf_bytes(&request));
}

static void what_was_acknowledged_is_there_after_an_end(void **state)
{
	struct life l;
	char hex[2 * SHA256_BYTES + 1], path[100];
	AUTO_BUF body = { 0 }, line = { 0 };

	buf_init(&body, MIB);
	buf_init(&line, MIB);
	life_make(&l, false);
	send_call(&l, 1, 0, 9);
	assert_int_equal(answer_of(&l, 1, &line), 200);
	end(&l);
	begin(&l, false);
	send_call(&l, 2, 0, 20);
	assert_int_equal(answer_of(&l, 2, &body), 409);
	assert_string_equal(buf_text(&body), "9\n");
	witness_origin_hex(ORIGIN, hex);
	snprintf(path, sizeof(path), "/%s/checkpoint", hex);
	say(&l, 3, METHOD_GET, path, bytes_of(""));
	assert_int_equal(answer_of(&l, 3, &body), 200);
	assert_non_null(strstr(buf_text(&body), buf_text(&line)));
	say(&l, 4, METHOD_GET, "/0000000000000000000000000000000000000000000000000000000000000000/checkpoint", bytes_of(""));
	assert_int_equal(answer_of(&l, 4, &body), 404);
	life_end(&l);
}

static void calls_of_one_turn_are_decided_one_after_the_other(void **state)
{
	struct life l;
	uint64_t call;
	unsigned status, heard = 0;
	AUTO_BUF body = { 0 };

	buf_init(&body, MIB);
	life_make(&l, false);
	for (unsigned i = 0; i < CALLS; i++)
		send_call(&l, i, i / 2, i / 2 + 1); /* each step twice: the second comes too late */
	for (int turn = 0; turn < 100 && heard < CALLS; turn++) {
		assert_ok(loop_turn(l.loop, 0, e));
		while (hear(&l, &call, &status, &body)) {
			char size[24];

			assert_int_equal(call, heard);
			assert_int_equal(status, call % 2 == 0 ? 200 : 409);
			snprintf(size, sizeof(size), "%u\n", heard / 2 + 1);
			if (status == 409)
				assert_string_equal(buf_text(&body), size);
			heard++;
		}
	}
	assert_int_equal(heard, CALLS);
	life_end(&l);
}

static void a_state_that_changes_below_us_is_not_overwritten(void **state)
{
	struct life l;
	AUTO_BUF body = { 0 };

	buf_init(&body, MIB);
	life_make(&l, false);
	send_call(&l, 1, 0, 9);
	assert_int_equal(answer_of(&l, 1, &body), 200);
	/* A second witness on the same folder cannot be: the state has one owner. */
	struct sign_key *key = NULL;
	struct note_key self;
	struct store *s = NULL;
	assert_refused(witness_home_open(l.dir, &key, &self, &s, e), REASON_BUSY);
	life_end(&l);
}

/* --- the keeper ---------------------------------------------------------------------------------------------- */

/* What the witness last told the keeper. */
static bool told(struct life *l, struct buf *out)
{
	int fds[MESSAGE_FDS_MAX], *at = fds;
	size_t nfds = 0;
	AUTO_BUF packet = { 0 };

	buf_init(&packet, MESSAGE_BYTES_MAX);
	if (channel_receive(l->keeper, &packet, fds, &nfds, NULL) != CHANNEL_MESSAGE)
		return false;
	buf_clear(out);
	return parcel_open(buf_bytes(&packet), &at, &nfds, out, NULL);
}

static void without_its_state_a_nodes_witness_answers_503_and_says_why(void **state)
{
	struct life l;
	AUTO_BUF body = { 0 };

	buf_init(&body, MIB);
	life_make(&l, true);
	assert_true(told(&l, &body));
	assert_int_equal(body.at[0], 1);
	end(&l);
	assert_int_equal(unlinkat(l.dir, "state.db", 0), 0);
	begin(&l, true);
	assert_true(told(&l, &body));
	assert_int_equal(body.at[0], 0);
	assert_non_null(strstr(buf_text(&body) + 1, "comity witness new-key"));
	send_call(&l, 1, 0, 9);
	assert_int_equal(answer_of(&l, 1, &body), 503);
	life_end(&l);
}

static void alone_it_does_not_start_without_its_state(void **state)
{
	struct life l;
	int pair[2];
	struct witness *w = NULL;
	struct err why = { 0 };

	life_make(&l, false);
	end(&l);
	assert_int_equal(unlinkat(l.dir, "state.db", 0), 0);
	l.loop = loop_new();
	assert_ok(channel_pair(pair, e));
	struct witness_options o = { .loop = l.loop, .door_fd = pair[1], .keeper_fd = -1, .dir_fd = l.dir };
	assert_false(witness_new(&o, &w, &why));
	assert_non_null(strstr(why.text, "comity witness new-key"));
	close(pair[0]);
	loop_free(l.loop);
	write_logs(&l);
	assert_ok(witness_home_renew(l.h.fd, "w.example", &l.self, e));
	begin(&l, false);
	life_end(&l);
}

static void the_keepers_list_is_kept_when_it_can_be_read(void **state)
{
	struct life l;
	struct stat before, after;
	AUTO_BUF list = { 0 }, body = { 0 };

	buf_init(&list, 4 * KIB);
	buf_init(&body, MIB);
	life_make(&l, true);
	assert_ok(file_read(l.dir, WITNESS_LOGS_FILE, &list, e));
	assert_int_equal(fstatat(l.dir, WITNESS_LOGS_FILE, &before, 0), 0);
	assert_ok(parcel_send(l.keeper, buf_bytes(&list), NULL, 0, e));
	assert_ok(loop_turn(l.loop, 0, e));
	assert_int_equal(fstatat(l.dir, WITNESS_LOGS_FILE, &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino); /* the same is not written again */
	assert_ok(parcel_send(l.keeper, bytes_of("log nonsense\n"), NULL, 0, e));
	assert_ok(loop_turn(l.loop, 0, e));
	send_call(&l, 1, 0, 9);
	assert_int_equal(answer_of(&l, 1, &body), 200);
	assert_ok(parcel_send(l.keeper, bytes_of(""), NULL, 0, e));
	assert_ok(loop_turn(l.loop, 0, e));
	send_call(&l, 2, 9, 20);
	assert_int_equal(answer_of(&l, 2, &body), 404);
	write_logs(&l); /* a change of the file is seen at the next call */
	send_call(&l, 3, 9, 20);
	assert_int_equal(answer_of(&l, 3, &body), 200);
	life_end(&l);
}

/* As few files may be open as are: a moment's failure, of which the file's own times and size say nothing. */
static struct rlimit no_more_files(void)
{
	struct rlimit was, now;
	int next = dup(STDIN_FILENO);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = was;
	now.rlim_cur = (rlim_t)next;
	close(next);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	return was;
}

static void a_list_that_could_not_be_read_is_read_later(void **state)
{
	struct life l;
	struct rlimit was;
	AUTO_BUF body = { 0 };

	buf_init(&body, MIB);
	life_make(&l, false);
	end(&l);
	assert_int_equal(unlinkat(l.dir, WITNESS_LOGS_FILE, 0), 0);
	begin(&l, false);
	write_logs(&l);
	was = no_more_files();
	send_call(&l, 1, 0, 9);
	assert_int_equal(answer_of(&l, 1, &body), 404);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	send_call(&l, 2, 0, 9);
	assert_int_equal(answer_of(&l, 2, &body), 200);
	life_end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_acknowledged_is_there_after_an_end),
		cmocka_unit_test(calls_of_one_turn_are_decided_one_after_the_other),
		cmocka_unit_test(a_state_that_changes_below_us_is_not_overwritten),
		cmocka_unit_test(without_its_state_a_nodes_witness_answers_503_and_says_why),
		cmocka_unit_test(alone_it_does_not_start_without_its_state),
		cmocka_unit_test(a_list_that_could_not_be_read_is_read_later),
		cmocka_unit_test(the_keepers_list_is_kept_when_it_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
