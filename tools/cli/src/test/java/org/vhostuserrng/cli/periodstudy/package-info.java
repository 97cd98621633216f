/** What is made of the figures of a study; the study itself is run by hand. */
package org.vhostuserrng.cli.study;
