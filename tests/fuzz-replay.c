/* Runs a fuzz harness over its saved inputs, so that what once broke is tried in every test run.
 * An empty or missing folder is a failure: a corpus that nobody reads protects nothing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *folder, const char *name)
{
	struct err e = { 0 };
	char path[4096];
	uint8_t *exact;
	AUTO_BUF in = { 0 };

	buf_init(&in, 64 * MIB);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (!file_read(AT_FDCWD, path, &in, &e)) {
		fprintf(stderr, "fuzz-replay: %s\n", e.text);
		return 1;
	}
	/* A copy of exactly this size, so that the sanitizer sees a read of one byte too many. */
	exact = malloc(in.len);
	if (exact == NULL && in.len > 0)
		abort();
	if (in.len > 0)
		memcpy(exact, in.at, in.len);
	LLVMFuzzerTestOneInput(exact, in.len);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent *entry;
	unsigned count = 0;
	int status = 0;
	DIR *dir;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	dir = opendir(argv[1]);
	if (dir == NULL) {
		fprintf(stderr, "fuzz-replay: cannot open %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		status |= replay_file(argv[1], entry->d_name);
		count++;
	}
	closedir(dir);
	if (count == 0) {
		fprintf(stderr, "fuzz-replay: %s holds no inputs\n", argv[1]);
		return 1;
	}
	printf("replayed %u inputs\n", count);
	return status;
}
