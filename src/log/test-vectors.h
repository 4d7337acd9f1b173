/* For tests with published vectors: finds them, reads JSON, counts and prints. */
#ifndef COMITY_LOG_TEST_VECTORS_H
#define COMITY_LOG_TEST_VECTORS_H

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/test-tally.h"
#include "log/merkle.h"
#include "store/test-home.h"

/* Opens <shared>/vectors/<name>; -1 (and a line) when it is not there. */
static inline int vectors_open(const char *name)
{
	const char *shared = getenv("COMITY_SHARED");
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/vectors/%s", shared == NULL ? "" : shared, name);
	fd = shared == NULL ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		printf("vectors %s: not there, skipped\n", name);
	return fd;
}

/* NULL when a number in it is beyond 64 bits with a sign. */
static inline json_t *vectors_json(int dir_fd, const char *path)
{
	json_t *v = NULL;
	AUTO_BUF in = { 0 };

	buf_init(&in, 4 * MIB);
	assert_ok(file_read(dir_fd, path, &in, e));
	/* An index of 2^64-1 is beyond JSON's integers here; as -1 it is the same 64 bits. */
	for (char *max; (max = memmem(in.at, in.len, "18446744073709551615", 20)) != NULL;)
		memcpy(max, "-1                  ", 20);
	/* Some are indented or end without a newline: read as they are, not as ours. */
	json_error_t why;
	v = json_loadb((const char *)in.at, in.len, JSON_REJECT_DUPLICATES, &why);
	if (v == NULL && json_error_code(&why) != json_error_numeric_overflow)
		fail_msg("%s is not JSON", path);
	return v;
}

#endif
