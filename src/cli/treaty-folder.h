/* Where treaties/ lies: COMITY_TREATIES, else the place of installation, else beside the program in a tree that
 * was built and not installed. */
#ifndef COMITY_CLI_TREATY_FOLDER_H
#define COMITY_CLI_TREATY_FOLDER_H

#include "treaty/treaty.h"

const char *treaty_folder(void);
/* The same, and a pack is there; the error names COMITY_TREATIES. */
bool treaty_folder_must(const char **ret, struct err *e) MUST_USE;
/* treaty_load from there; the error names COMITY_TREATIES. */
bool treaty_load_here(struct treaty **ret, struct err *e) MUST_USE;

#endif
