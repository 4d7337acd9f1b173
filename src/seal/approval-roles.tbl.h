/* Roles in which a person signs: name, code, words. */
APPROVAL_ROLE(INVESTIGATOR, "investigator", "drafts requests (case officer)")
APPROVAL_ROLE(REVIEWER,     "rights-reviewer", "screens for human rights (arts. 6, 24); never the case officer")
APPROVAL_ROLE(AUTHORITY,    "authority", "the competent authority that authorises a request or answers one")
APPROVAL_ROLE(DUTY,         "duty-officer", "acknowledges what arrives, day and night (art. 41)")
APPROVAL_ROLE(COURT,        "court", "court or other independent body that orders a coercive step (24(2))")
APPROVAL_ROLE(CUSTODIAN,    "custodian", "keeps exhibits and their custody")
#undef APPROVAL_ROLE
