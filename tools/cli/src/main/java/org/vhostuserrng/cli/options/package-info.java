/** Picocli converters for option values of several commands. Errors state the permitted range. */
package org.vhostuserrng.cli.options;
