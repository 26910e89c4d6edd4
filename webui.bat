@echo off
rem Starts Easel on Windows: finds a Python, the rest is launch.py. Your own settings go into webui-user.bat.
setlocal
cd /d "%~dp0"

if defined PYTHON goto :own

for %%v in (3.13 3.12 3.11) do (
    py -%%v -c "" >nul 2>nul
    if not errorlevel 1 (
        py -%%v launch.py %*
        goto :end
    )
)
for %%p in (python3.13 python3.12 python3.11 python3 python) do (
    %%p -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" >nul 2>nul
    if not errorlevel 1 (
        %%p launch.py %*
        goto :end
    )
)
echo Python 3.11, 3.12 or 3.13 is needed and none was found: install one from python.org, or name it as PYTHON in
echo webui-user.bat.
pause
exit /b 1

:own
set PYTHON=%PYTHON:"=%
"%PYTHON%" -c "" >nul 2>nul
if errorlevel 1 (
    echo There is no Python at %PYTHON%: mend PYTHON in webui-user.bat.
    pause
    exit /b 1
)
"%PYTHON%" launch.py %*

:end
set status=%errorlevel%
rem The window of a double click would close before the reason could be read.
if not "%status%"=="0" pause
exit /b %status%
