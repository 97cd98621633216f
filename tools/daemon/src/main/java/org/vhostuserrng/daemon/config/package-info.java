/** The configuration file: reads TOML into keys with their files and lines. Knows no option. */
package org.vhostuserrng.daemon.config;
