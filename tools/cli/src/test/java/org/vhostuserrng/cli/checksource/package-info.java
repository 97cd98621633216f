/** Estimates and statistics against distributions whose figures are known. */
package org.vhostuserrng.cli.check;
