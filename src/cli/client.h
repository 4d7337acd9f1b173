/* The node as a command sees it: HTTP/1.1 over HOME/run/comity.sock. Verbs take and give JSON objects
 * (api/verbs.tbl.h); exhibits go up and come down as streams of any length in constant memory. Problem
 * details (RFC 9457) become an err with the node's own sentence and reason. */
#ifndef COMITY_CLI_CLIENT_H
#define COMITY_CLI_CLIENT_H

#include "base/json.h"
#include "cli/args.h"
#include "cli/progress.h"

struct client;

/* The home is that of --home, else of COMITY_HOME. Nothing is asked of the node yet. */
bool client_open(const struct args *a, struct client **ret, struct err *e) MUST_USE;
bool client_open_home(const char *home, struct client **ret, struct err *e) MUST_USE;
void client_free(struct client *c);
void client_free_at(struct client **c);
#define AUTO_CLIENT __attribute__((cleanup(client_free_at))) struct client

/* in is taken; NULL stands for {}. The answer is a new reference. */
bool client_call(struct client *c, const char *verb, json_t *in, json_t **ret, struct err *e) MUST_USE;

struct client_upload {
	const char *request; /* id */
	const char *name;    /* of the file, as people know it */
	const char *media;   /* media type */
	bool personal;       /* holds personal data */
	int fd;              /* read from its present position */
	uint64_t bytes;
	struct progress *progress; /* may be NULL; counts on from where it stands */
};
bool client_upload(struct client *c, const struct client_upload *u, json_t **ret, struct err *e) MUST_USE;
/* The content of an exhibit into out_fd. */
bool client_download(struct client *c, const char *exhibit, int out_fd, struct progress *p, struct err *e) MUST_USE;

/* The home's folder as the command line or the environment names it; an error when neither does. */
bool home_of(const struct args *a, const char **ret, struct err *e) MUST_USE;

#endif
