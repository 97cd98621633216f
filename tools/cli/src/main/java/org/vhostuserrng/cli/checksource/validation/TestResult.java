package org.vhostuserrng.cli.checksource.validation;

/**
 * The result of a test that a source passes or fails.
 *
 * @param name what was tested, with the section of SP 800-90B
 * @param passed whether the samples passed
 * @param detail figures, or why they failed; empty if there is nothing to say
 */
public record TestResult(String name, boolean passed, String detail) {}
