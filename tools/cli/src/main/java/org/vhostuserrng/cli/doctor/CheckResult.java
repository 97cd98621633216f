package org.vhostuserrng.cli.doctor;

/**
 * The result of a check.
 *
 * @param check the name of the check
 * @param finding the observation, in one or two sentences
 * @param remedy the recommended action; empty if there is none
 */
record CheckResult(String check, CheckStatus status, String finding, String remedy) {
    static CheckResult ok(String check, String finding) {
        return new CheckResult(check, CheckStatus.OK, finding, "");
    }

    static CheckResult problem(String check, String finding, String remedy) {
        return new CheckResult(check, CheckStatus.PROBLEM, finding, remedy);
    }

    static CheckResult notChecked(String check, String finding, String remedy) {
        return new CheckResult(check, CheckStatus.NOT_CHECKED, finding, remedy);
    }
}
