package org.vhostuserrng.cli.doctor;

/**
 * What a check has found.
 *
 * @param check the name of the check
 * @param finding what is so, in one or two sentences
 * @param remedy what to do about it; empty for nothing
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
