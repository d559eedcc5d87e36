/* Numbers of ioctl(2) that are not of one driver alone. Those of terminals are in termios.h. */
#pragma once

#define FIONREAD 0x541Bu
#define FIONBIO 0x5421u
#define FIONCLEX 0x5450u
#define FIOCLEX 0x5451u
#define FIOASYNC 0x5452u
#define BLKROGET 0x125Eu
#define BLKGETSIZE 0x1260u /* sectors, a word */
#define BLKFLSBUF 0x1261u
#define BLKRASET 0x1262u /* read-ahead in sectors: a value */
#define BLKRAGET 0x1263u
#define BLKSSZGET 0x1268u
#define BLKBSZGET 0x80041270u
#define BLKGETSIZE64 0x80041272u /* bytes, a u64 */
