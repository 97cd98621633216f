/** Tests of {@code doctor}, on a fake root directory with a fake procfs. */
package org.vhostuserrng.cli.doctor;
