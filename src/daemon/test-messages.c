/* Messages between roles: what is written is read back the same, and nothing may stand behind the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "daemon/courier-messages.h"
#include "daemon/door-messages.h"
#include "daemon/mill-messages.h"
#include "daemon/parent-messages.h"

#define ROUND(type, value)                                                                          \
	do {                                                                                        \
		struct type##_message back_;                                                        \
		struct err e_ = { 0 };                                                              \
		AUTO_BUF one_ = { 0 };                                                                      \
		AUTO_BUF two_ = { 0 };                                                                      \
		buf_init(&one_, 8 * MIB);                                                           \
		buf_init(&two_, 8 * MIB);                                                           \
		type##_message_write((value), &one_);                                               \
		assert_true(buf_ok(&one_));                                                         \
		assert_true(type##_message_parse(buf_bytes(&one_), &back_, &e_));                   \
		type##_message_write(&back_, &two_);                                                \
		assert_true(bytes_equal(buf_bytes(&one_), buf_bytes(&two_)));                       \
		for (size_t cut_ = 0; cut_ < one_.len; cut_++)                                      \
			assert_false(type##_message_parse(bytes_slice(buf_bytes(&one_), 0, cut_), &back_, &e_)); \
		buf_add_u8(&one_, 0);                                                               \
		assert_false(type##_message_parse(buf_bytes(&one_), &back_, &e_));                  \
		assert_int_equal(e_.reason, REASON_TRAILING_BYTES);                                 \
	} while (0)

static void door_messages_read_back_and_end_at_their_end(void **state)
{
	ROUND(door, (&(struct door_message){ .type = DOOR_CALL, .call = 1, .caller = CALLER_PEER, .method = METHOD_POST,
					     .spki = { 1, 2, 3 }, .path = bytes_of("/letters"), .query = bytes_of("a=b"),
					     .body = bytes_of("sealed"), .content_length = 6 }));
	ROUND(door, (&(struct door_message){ .type = DOOR_REPLY, .call = UINT64_MAX, .status = 206, .ranges = true,
					     .content_type = bytes_of("application/json"), .body = bytes_of("{}"),
					     .offset = 5, .length = 7 }));
	ROUND(door, (&(struct door_message){ .type = DOOR_STREAM, .call = 2, .status = 200, .cacheable = true }));
	ROUND(door, (&(struct door_message){ .type = DOOR_PIPE, .call = 3 }));
	ROUND(door, (&(struct door_message){ .type = DOOR_GONE, .call = 3 }));
	ROUND(door, (&(struct door_message){ .type = DOOR_BODY_END, .call = 3, .ok = true, .received = 99 }));
	ROUND(door, (&(struct door_message){ .type = DOOR_PINS, .pins = bytes_of("0123456789abcdef0123456789abcdef") }));
}

static void pins_of_a_wrong_length_are_refused(void **state)
{
	struct door_message m = { .type = DOOR_PINS, .pins = bytes_of("0123456789abcdef0123456789abcde") };
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, KIB);
	door_message_write(&m, &out);
	assert_false(door_message_parse(buf_bytes(&out), &m, &e));
}

static void a_pin_or_any_server_and_our_name_only_for_a_pin(void **state)
{
	const struct courier_message bad[] = {
		{ .type = COURIER_FETCH, .url = bytes_of("https://127.0.0.1:1/") },
		{ .type = COURIER_FETCH, .url = bytes_of("https://127.0.0.1:1/"), .any_server = true, .pin = { 9 } },
		{ .type = COURIER_FETCH, .url = bytes_of("https://127.0.0.1:1/"), .any_server = true, .show_certificate = true },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct courier_message m;
		struct err e = { 0 };
		AUTO_BUF out = { 0 };

		buf_init(&out, 4 * KIB);
		courier_message_write(&bad[i], &out);
		assert_false(courier_message_parse(buf_bytes(&out), &m, &e));
	}
}

static void courier_messages_read_back_and_end_at_their_end(void **state)
{
	ROUND(courier, (&(struct courier_message){ .type = COURIER_FETCH, .job = 9, .post = true, .show_certificate = true,
						   .pin = { 9 }, .url = bytes_of("https://127.0.0.1:1/"),
						   .content_type = bytes_of("text/plain"), .body = bytes_of("x"),
						   .range_from = 1, .bytes_max = 2, .timeout_ms = 3 }));
	ROUND(courier, (&(struct courier_message){ .type = COURIER_FETCH, .job = 9, .post = true, .any_server = true,
						   .url = bytes_of("https://127.0.0.1:1/add-checkpoint"), .body = bytes_of("old 0") }));
	ROUND(courier, (&(struct courier_message){ .type = COURIER_FETCHED, .job = 9, .ok = true, .status = 404,
						   .error = bytes_of("no"), .body = bytes_of("y"), .written = 4 }));
	ROUND(courier, (&(struct courier_message){ .type = COURIER_PROGRESS, .job = 9, .written = 4 }));
	ROUND(courier, (&(struct courier_message){ .type = COURIER_CANCEL, .job = 9 }));
}

static void mill_messages_read_back_and_end_at_their_end(void **state)
{
	ROUND(mill, (&(struct mill_message){ .type = MILL_SEAL, .job = 1, .file_key = { 1 }, .recipient_count = 2,
					     .recipients = { { { 1 } }, { { 2 } } } }));
	ROUND(mill, (&(struct mill_message){ .type = MILL_OPEN, .job = 2, .file_key = { 1 } }));
	ROUND(mill, (&(struct mill_message){ .type = MILL_CHECK, .job = 2, .file_key = { 1 } }));
	ROUND(mill, (&(struct mill_message){ .type = MILL_DONE, .job = 2, .ok = true, .totals = { .plain_bytes = 3 } }));
	ROUND(mill, (&(struct mill_message){ .type = MILL_DONE, .job = 2, .error = bytes_of("broken"),
					     .reason = REASON_SEAL_BROKEN }));
	ROUND(mill, (&(struct mill_message){ .type = MILL_PROGRESS, .job = 2, .bytes = 5 }));
}

static void parent_messages_read_back_and_end_at_their_end(void **state)
{
	ROUND(parent, (&(struct parent_message){ .type = PARENT_READY }));
	ROUND(parent, (&(struct parent_message){ .type = PARENT_STOP }));
	ROUND(parent, (&(struct parent_message){ .type = PARENT_CHANNEL, .role = ROLE_door, .restarts = 1, .pid = 2 }));
	ROUND(parent, (&(struct parent_message){ .type = PARENT_PAGE, .cookie = 1, .officer = bytes_of("duty"),
						 .words = bytes_of("wake up") }));
	ROUND(parent, (&(struct parent_message){ .type = PARENT_PAGED, .cookie = 1, .exit_status = 3 }));
}

static void unknown_types_are_refused(void **state)
{
	static const uint8_t wrong[64] = { 77 };
	struct door_message d;
	struct courier_message c;
	struct mill_message m;
	struct parent_message p;
	struct err e = { 0 };

	assert_false(door_message_parse(BYTES_ARRAY(wrong), &d, &e));
	assert_false(courier_message_parse(BYTES_ARRAY(wrong), &c, &e));
	assert_false(mill_message_parse(BYTES_ARRAY(wrong), &m, &e));
	assert_false(parent_message_parse(BYTES_ARRAY(wrong), &p, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(door_messages_read_back_and_end_at_their_end),
		cmocka_unit_test(pins_of_a_wrong_length_are_refused),
		cmocka_unit_test(courier_messages_read_back_and_end_at_their_end),
		cmocka_unit_test(a_pin_or_any_server_and_our_name_only_for_a_pin),
		cmocka_unit_test(mill_messages_read_back_and_end_at_their_end),
		cmocka_unit_test(parent_messages_read_back_and_end_at_their_end),
		cmocka_unit_test(unknown_types_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
