package org.vhostuserrng.cli.checksource.validation;

/**
 * The result of a test that a source passes or fails.
 *
 * @param name name of the test with the section of SP 800-90B
 * @param passed whether the samples passed the test
 * @param detail figures, or the reason of a failure; may be empty
 */
public record TestResult(String name, boolean passed, String detail) {}
