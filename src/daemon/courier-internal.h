/* Between the sources of the courier. */
#ifndef COMITY_DAEMON_COURIER_INTERNAL_H
#define COMITY_DAEMON_COURIER_INTERNAL_H

#include <curl/curl.h>

#include "daemon/courier-messages.h"
#include "daemon/courier.h"
#include "process/channel.h"

/* A job may be told to follow one that has just ended: so many good ends are remembered. */
#define GOOD_ENDS 64u

struct job {
	struct job *next;
	struct courier *courier;
	struct courier_message m; /* its bytes stand in request */
	struct buf request, answer;
	CURL *easy;
	struct curl_slist *headers;
	int out_fd;      /* -1: the answer is kept in memory */
	bool follows;    /* not begun: m.after is under way */
	int64_t begun_us;
	bool out_waits;  /* the descriptor is full: paused */
	size_t skip;     /* of the block that curl gives again after a pause: written already */
	uint64_t written, told;
	uint64_t moved;  /* bytes in both directions at the last tick that saw any */
	int64_t moved_us;
	char refused[160]; /* why we ended it */
	char words[CURL_ERROR_SIZE];
};

struct courier {
	struct courier_options o;
	struct channel *keeper;
	CURLM *multi;
	struct job *jobs;
	size_t job_count;
	uint64_t timer, tick;
	uint64_t good[GOOD_ENDS]; /* numbers of jobs, in a ring */
	size_t good_at;
};

/* Ends every job whose transfer is over. */
void courier_finish(struct courier *c);
/* Sets the HTTP client up for the job's message. False: it does not take this request; *ret_why says why. */
bool job_setup(struct job *j, const char **ret_why) MUST_USE;

#endif
