/** Tests of the package. */
package org.vhostuserrng.cli.metrics;
