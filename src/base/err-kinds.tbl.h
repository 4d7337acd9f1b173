/* Kinds of error: name, words, exit status of the CLI, HTTP status. The kind says who can mend it. */
ERR_KIND(NONE,        "none",           0, 200)
ERR_KIND(INPUT,       "bad input",      2, 400)  /* the bytes or words given are not valid */
ERR_KIND(REJECTED,    "rejected",       1, 422)  /* well-formed, but checks forbid it */
ERR_KIND(FORBIDDEN,   "not allowed",    3, 403)  /* this caller may not */
ERR_KIND(NOT_FOUND,   "not found",      4, 404)
ERR_KIND(CONFLICT,    "conflict",       5, 409)  /* not in this state */
ERR_KIND(LIMIT,       "over a limit",   6, 413)
ERR_KIND(UNAVAILABLE, "not available",  7, 503)  /* another process, node or disk; try again */
ERR_KIND(SYSTEM,      "system error",   8, 500)  /* the machine, or a defect of ours */
#undef ERR_KIND
