/** Picocli converters for option values of several commands. Their error messages state the permitted range. */
package org.vhostuserrng.cli.options;
