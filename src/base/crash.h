/* Crash tests: named points at which a process dies as by kill -9, when it is told to. COMITY_CRASH_AT=NAME:N in the
 * environment kills it at the N-th time that point NAME comes, once: it leaves the file `crashed` behind, and where that file is
 * nothing dies, so that whoever takes its place goes on. Only in builds with tests; in others the points are not there.
 *   keeper-commit, keeper-committed    before and after a commit of the store (witness- in a witness)
 *   file, file-done                    before and after a file that is written whole gets its name: tile, bundle, checkpoint
 *   cell-write, cell-written           before and after the signer writes down which checkpoint it will sign
 *   log-remove                         before a file of an unfinished tile goes, because the tile became full */
#ifndef COMITY_BASE_CRASH_H
#define COMITY_BASE_CRASH_H

#define CRASHED_FILE "crashed"

#ifdef COMITY_CRASH_TESTS
/* Reads the environment; mark_fd: the folder of `crashed`, kept open by a copy. Counting begins anew. */
void crash_arm(int mark_fd);
void crash_disarm(void);
void crash_point(const char *name);
#else
static inline void crash_arm(int mark_fd)
{
}
static inline void crash_disarm(void)
{
}
static inline void crash_point(const char *name)
{
}
#endif

#endif
