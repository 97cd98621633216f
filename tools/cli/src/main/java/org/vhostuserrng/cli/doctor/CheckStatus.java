package org.vhostuserrng.cli.doctor;

/** The result of a check in one word. */
enum CheckStatus {
    OK("ok"),
    PROBLEM("problem"),
    /** It cannot be told from here, or depends on what is not known. */
    NOT_CHECKED("not checked");

    private final String text;

    CheckStatus(String text) {
        this.text = text;
    }

    String text() {
        return text;
    }
}
