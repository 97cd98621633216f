package org.vhostuserrng.cli.doctor;

/** The status of a {@link CheckResult}. */
enum CheckStatus {
    OK("ok"),
    PROBLEM("problem"),
    /** The check cannot determine the status, or depends on unknown facts. */
    NOT_CHECKED("not checked");

    private final String text;

    CheckStatus(String text) {
        this.text = text;
    }

    String text() {
        return text;
    }
}
