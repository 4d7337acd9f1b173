/* Where treaties/ lies: COMITY_TREATIES, else the place of installation. */
#ifndef COMITY_CLI_TREATY_FOLDER_H
#define COMITY_CLI_TREATY_FOLDER_H

const char *treaty_folder(void);

#endif
